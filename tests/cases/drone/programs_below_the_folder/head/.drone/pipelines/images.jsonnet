local images = ['acme/api', 'acme/web'];

[
  {
    kind: 'pipeline',
    name: 'image %s' % image,
    steps: [{
      name: 'build',
      image: 'docker',
      volumes: [{ name: 'sock', path: '/var/run/docker.sock' }],
      commands: ['docker build -t %s .' % image],
    }],
    volumes: [{
      name: 'sock',
      host: { path: '/var/run/docker.sock' },
    }],
  }
  for image in images
]
