target "old" {
  ssh = ["engine=/var/run/docker.sock"]
}
