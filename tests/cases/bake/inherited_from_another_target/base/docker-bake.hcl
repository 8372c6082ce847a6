target "_engine" {
  args = {
    DOCKER_HOST = "tcp://10.1.2.3:2375"
  }
}

target "app" {
}

target "plain" {
  context = "plain"
}
