provider "docker" {
  host = "unix:///var/run/docker.sock"
}

resource "docker_image" "agent" {
  name = "example.com/agent:1"
}

resource "docker_container" "agent" {
  name      = "agent"
  image     = docker_image.agent.image_id
  user      = "1000"
  read_only = true
  capabilities {
    drop = ["ALL"]
  }
  volumes {
    volume_name    = "data"
    container_path = "/data"
  }
  volumes {
    host_path      = "/var/run/docker.sock"
    container_path = "/var/run/docker.sock"
    read_only      = true
  }
}
