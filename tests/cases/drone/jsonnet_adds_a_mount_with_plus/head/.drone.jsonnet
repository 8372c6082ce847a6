local base = { kind: 'pipeline', name: 'default', steps: [] };
base {
  steps+: [
    {
      name: 'e2e',
      image: 'tool',
      volumes: [{ name: 'sock', path: '/sock' }],
      commands: ['make e2e'],
    },
  ],
  volumes: [
    {
      name: 'sock',
      host: {
        path: '/var/run/docker.sock',
      },
    },
  ],
}
