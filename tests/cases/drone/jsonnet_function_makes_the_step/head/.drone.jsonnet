// Two pipelines that differ in their architecture.
local docker = { name: 'docker', host: { path: '/var/run/docker.sock' } };
local step(name, image='tool') = {
  name: name,
  image: image,
  volumes: [{ name: 'docker', path: '/var/run/docker.sock' }],
};
local pipeline(arch) = {
  kind: 'pipeline',
  name: 'build-' + arch,
  steps: [step('test')],
  volumes: [docker, { name: 'cache', temp: {} }],
};

[pipeline(arch) for arch in ['amd64', 'arm64']]
