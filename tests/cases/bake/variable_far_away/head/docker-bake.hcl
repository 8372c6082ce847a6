variable "REMOTE" {
  default = "tcp://10.1.2.3:2375"
}
target "app" {
  args = {
    DOCKER_HOST = REMOTE
  }
}
