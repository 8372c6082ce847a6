resource "aws_ecs_task_definition" "encoded" {
  family = "encoded"
  container_definitions = jsonencode([
    {
      name  = "agent"
      image = "example.com/agent"
      mountPoints = [
        { sourceVolume = "sock", containerPath = "/var/run/docker.sock" }
      ]
    }
  ])
  volume {
    name      = "sock"
    host_path = "/var/run/docker.sock"
  }
}

resource "aws_ecs_task_definition" "text" {
  family                = "text"
  container_definitions = <<DEFINITION
[
  {
    "name": "agent",
    "image": "example.com/agent",
    "mountPoints": [{"sourceVolume": "run", "containerPath": "/host/run"}]
  }
]
DEFINITION
  volume {
    name      = "run"
    host_path = "/var/run"
  }
}

resource "aws_ecs_task_definition" "elsewhere" {
  family                = "elsewhere"
  container_definitions = file("${path.module}/task.json")
  volume {
    name      = "sock"
    host_path = "/run/docker.sock"
  }
}
