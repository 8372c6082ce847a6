variable "engine" {
  type = object({ socket = string })
  default = {
    socket = "/srv/agent.sock"
  }
}
