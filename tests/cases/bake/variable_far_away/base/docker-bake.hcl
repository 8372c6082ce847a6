variable "REMOTE" {
  default = ""
}
target "app" {
  args = {
    DOCKER_HOST = REMOTE
  }
}
