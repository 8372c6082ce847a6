# host volumes: /var/run/docker.sock
[
  {
    kind: 'pipeline',
    name: 'default',
    steps: [{ name: 'a', image: 'tool', volumes: [{ name: 'x', path: '/x' }] }],
    volumes: [{ name: 'x', temp: {} }],
  },
  // { volumes: [{ name: 'sock', host: { path: '/var/run/docker.sock' } }] },
]
