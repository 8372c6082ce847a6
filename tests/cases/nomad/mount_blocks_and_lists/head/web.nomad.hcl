job "web" {
  task "one" {
    driver = "podman"
    config {
      image = "example.com/one"
      mount {
        type   = "bind"
        source = "/run/podman/podman.sock"
        target = "/run/podman/podman.sock"
      }
      mount {
        type   = "volume"
        source = "data"
        target = "/data"
      }
    }
  }
  task "two" {
    driver = "docker"
    config {
      image = "example.com/two"
      mounts = [
        {
          type     = "bind"
          source   = "/var/run"
          target   = "/host/run"
          readonly = true
        }
      ]
    }
  }
}
