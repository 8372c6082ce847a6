target "new" {
  ssh = ["engine=/var/run/docker.sock"]
}
