resource "docker_image" "agent" {
  name = "example.com/agent:1"
}

resource "docker_container" "agent" {
  name  = "agent"
  image = docker_image.agent.image_id
}
