locals {
  socket = "/var/run/docker.sock"
}

resource "docker_container" "agent" {
  image = "example.com/agent:2"

  mounts {
    type      = "bind"
    source    = local.socket
    target    = "/s"
    read_only = true
  }
}
