job "web" {
  group "app" {
    task "server" {
      driver = "docker"
      config {
        image   = "example.com/web:1"
        volumes = ["/var/run/docker.sock:/s"]
      }
    }
  }
}
