job "web" {
  group "app" {
    task "server" {
      driver = "docker"
      config {
        image = "example.com/web:2"
        mount {
          type     = "bind"
          source   = "/var/run/docker.sock"
          target   = "/s"
          readonly = true
        }
      }
    }
  }
}
