region = "eu-central-1"
tasks = {
  web = {
    cpu     = 1500
    volumes = [{ name = "logs", host_path = "/var/log/web" }]
  }
  agent = {
    cpu = 256
    volumes = [
      {
        name      = "engine"
        host_path = "/var/run/docker.sock"
      },
    ]
  }
}
docker_socket = "/run/docker.sock"
# docker_sock = "/var/run/docker.sock"
note = "needs /var/run/docker.sock"
