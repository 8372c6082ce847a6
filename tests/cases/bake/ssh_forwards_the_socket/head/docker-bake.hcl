variable "ENGINE" {
  default = "/var/run/docker.sock"
}

group "default" {
  targets = ["app", "tests"]
}

target "app" {
  context = "."
  ssh     = ["default", "engine=${ENGINE}"]
}

target "tests" {
  ssh = [
    { id = "engine", paths = ["/run/docker.sock"] },
  ]
}
