variable "engine" {
  type = object({ socket = string })
  default = {
    socket = "/var/run/docker.sock"
  }
}
