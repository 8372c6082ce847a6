job "web" {
  group "app" {
    task "server" {
      driver = "docker"
      user   = "1000"
      config {
        image           = "example.com/web:1"
        readonly_rootfs = true
        cap_drop        = ["ALL"]
        security_opt    = ["no-new-privileges"]
        volumes = [
          "local/data:/data",
          "/var/run/docker.sock:/var/run/docker.sock:ro", # for discovery
        ]
      }
    }
  }
}
