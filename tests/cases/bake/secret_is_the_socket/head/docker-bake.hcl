target "app" {
  secret = [
    "type=file,id=engine,src=/var/run/docker.sock",
    "id=token,src=./token.txt",
  ]
}

target "other" {
  secret = [{
    id  = "engine"
    src = "/run/podman/podman.sock"
  }]
}
