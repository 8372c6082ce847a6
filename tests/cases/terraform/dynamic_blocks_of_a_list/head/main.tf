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

locals {
  binds = [
    { from = "/srv/logs", to = "/logs" },
    { from = "/run/containerd/containerd.sock", to = "/c" },
  ]
}

resource "docker_container" "other" {
  image = "example.com/other"
  dynamic "volumes" {
    for_each = local.binds
    iterator = bind
    content {
      host_path      = bind.value.from
      container_path = bind.value.to
    }
  }
}
