locals {
  socket = "${var.engine.socket}"
}

resource "docker_container" "agent" {
  image = "example.com/agent"
  mounts {
    type   = "bind"
    source = local.socket
    target = "/engine.sock"
  }
}
