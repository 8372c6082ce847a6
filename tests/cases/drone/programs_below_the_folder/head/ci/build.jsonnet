{
  kind: 'pipeline',
  name: 'build',
  steps: [{
    name: 'image',
    image: 'docker',
    volumes: [{ name: 'sock', path: '/var/run/docker.sock' }],
  }],
  volumes: [{ name: 'sock', host: { path: '/var/run/docker.sock' } }],
}
