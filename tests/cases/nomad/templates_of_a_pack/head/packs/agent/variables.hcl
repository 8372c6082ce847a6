variable "job_name" {
  type    = string
  default = ""
}

variable "paths" {
  type = object({ socket = string, target = string })
  default = {
    socket = "/var/run/docker.sock",
    target = "/host/docker.sock",
  }
}

variable "mounts" {
  type = list(object({ source = string, target = string }))
  default = [
    {
      source = "/run/containerd/containerd.sock"
      target = "/host/containerd.sock"
    },
  ]
}
