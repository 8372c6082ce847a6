resource "docker_container" "agent" {
  image = "example.com/agent:1"
  volumes {
    host_path      = "/var/run/docker.sock"
    container_path = "/s"
  }
}
