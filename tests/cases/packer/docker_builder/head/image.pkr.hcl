variable "socket" {
  default = "/var/run/docker.sock"
}

source "docker" "base" {
  image   = "debian:13"
  commit  = true
  volumes = {
    "${var.socket}" = "/var/run/docker.sock"
    "/srv/cache"    = "/cache"
  }
}

source "docker" "other" {
  image       = "debian:13"
  run_command = ["-d", "-i", "-t", "-v", "/var/run:/host", "{{.Image}}"]
}

build {
  sources = ["source.docker.base"]
  provisioner "shell" {
    inline = ["apt-get update", "docker run -v /run/docker.sock:/s alpine"]
  }
  post-processor "shell-local" {
    inline = ["docker -H tcp://10.0.0.1:2375 push example.com/base"]
  }
}
