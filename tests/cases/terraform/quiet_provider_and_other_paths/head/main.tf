provider "docker" {
  host = "tcp://10.0.0.1:2376"
}

# host_path = "/var/run/docker.sock"
variable "socket" {
  description = "mount /var/run/docker.sock"
  default     = "/var/run/docker.sock"
}

resource "docker_container" "db" {
  image = "postgres:17"
  volumes {
    host_path      = "/var/run/postgresql"
    container_path = "/var/run"
  }
  volumes {
    volume_name    = "sock"
    container_path = "/var/run/docker.sock"
  }
  labels {
    label = "usage"
    value = "-v /var/run/docker.sock:/var/run/docker.sock"
  }
}

output "hint" {
  value = "docker run -v /var/run/docker.sock:/var/run/docker.sock example.com/agent"
}
