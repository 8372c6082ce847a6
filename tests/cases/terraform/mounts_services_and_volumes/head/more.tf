resource "docker_service" "proxy" {
  name = "proxy"
  task_spec {
    container_spec {
      image = "example.com/proxy"
      env = {
        DOCKER_HOST = "tcp://10.0.0.1:2375"
      }
      mounts {
        type   = "bind"
        source = "/var/run/docker.sock"
        target = "/var/run/docker.sock"
      }
    }
  }
}

resource "docker_volume" "engine" {
  name        = "engine"
  driver_opts = {
    type   = "none"
    o      = "bind"
    device = "/var/run"
  }
}

resource "docker_container" "watch" {
  image = "example.com/watch"
  env   = ["LEVEL=1", "DOCKER_HOST=tcp://10.0.0.1:2375"]
  volumes {
    volume_name    = docker_volume.engine.name
    container_path = "/host/run"
  }
}

resource "docker_container" "many" {
  image = "example.com/many"
  dynamic "volumes" {
    for_each = var.sockets
    content {
      host_path      = volumes.value
      container_path = "/var/run/docker.sock"
    }
  }
}
