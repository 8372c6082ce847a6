variable "socket" {
  default = "/var/run/docker.sock"
}
locals {
  mounts = ["${var.socket}:/agent.sock"]
}
job "web" {
  group "app" {
    task "server" {
      driver = "docker"
      config {
        image   = "example.com/web"
        volumes = local.mounts
      }
    }
  }
}
