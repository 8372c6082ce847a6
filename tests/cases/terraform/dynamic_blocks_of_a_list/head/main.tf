locals {
  volumes = {
    data   = { host_path = "/srv/data", container_path = "/data" }
    engine = { host_path = "/var/run/docker.sock", container_path = "/s" }
  }
}

resource "docker_container" "agent" {
  image = "example.com/agent"
  dynamic "volumes" {
    for_each = local.volumes
    content {
      host_path      = volumes.value.host_path
      container_path = volumes.value.container_path
    }
  }
}
