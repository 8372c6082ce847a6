module "portainer" {
  source        = "./modules/container"
  docker_host   = "unix:///var/run/docker.sock"
  image         = "example.com/portainer"
  extra_volumes = ["/var/run/docker.sock:/var/run/docker.sock"]
}

module "agent" {
  source             = "example/agent/docker"
  docker_socket_path = "/run/containerd/containerd.sock"
  mounts = [
    { source = "/var/run", target = "/host/run", type = "bind" },
  ]
}
