target "_engine" {
  args = {
    DOCKER_HOST = "tcp://10.1.2.3:2375"
  }
}

target "app" {
  inherits = ["_engine"]
}

target "plain" {
  context = "plain"
}
