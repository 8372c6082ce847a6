job "traefik" {
  group "proxy" {
    volume "engine" {
      type   = "host"
      source = "docker_sock"
    }
    volume "data" {
      type   = "csi"
      source = "data"
    }
    task "traefik" {
      driver = "docker"
      config { image = "traefik:v3" }
      volume_mount {
        volume      = "engine"
        destination = "/var/run/docker.sock"
        read_only   = true
      }
      volume_mount {
        volume      = "data"
        destination = "/run/docker.sock"
      }
    }
  }
}
