client {
  enabled = true
  host_volume "engine" {
    path      = "/var/run"
    read_only = true
  }
  host_volume "data" {
    path = "/srv/data"
  }
}
plugin "docker" {
  config {
    endpoint = "unix:///var/run/docker.sock"
    volumes { enabled = true }
  }
}
