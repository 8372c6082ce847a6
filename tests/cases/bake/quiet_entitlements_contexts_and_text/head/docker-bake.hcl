# mounts /var/run/docker.sock nowhere
variable "DOCKER_HOST" {
  default = "unix:///var/run/docker.sock"
}
target "app" {
  description  = "needs no /var/run/docker.sock"
  context      = "/var/run"
  contexts     = { host = "/run", alpine = "docker-image://alpine:3.20" }
  entitlements = ["security.insecure", "network.host"]
  network      = "host"
  ssh          = ["default", "agent=/run/user/1000/ssh-agent.sock"]
  args         = { DOCKER_HOST = "tcp://build:2376", DOCKER_HOST_IP = "10.0.0.1" }
  labels       = { usage = "docker run -v /var/run/docker.sock:/var/run/docker.sock x" }
  output       = ["type=local,dest=/var/run"]
  dockerfile-inline = "FROM alpine\nRUN echo docker run -v /var/run/docker.sock:/s x\n"
}
