{ ... }: {
  virtualisation.oci-containers.containers.agent = { image = "acme/agent:1"; volumes = ["/var/run/docker.sock:/var/run/docker.sock"]; };
}
