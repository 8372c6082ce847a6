docker run -d `
  -v \\.\pipe\docker_engine:\\.\pipe\docker_engine `
  acme/agent:1.2
