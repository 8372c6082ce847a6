{ config, ... }:
{
  virtualisation.oci-containers.containers.agent = {
    image = "acme/agent:1";
    volumes = [
<<<<<<< ours
      "/var/run/docker.sock:/var/run/docker.sock"
=======
      "/run/docker.sock:/var/run/docker.sock"
>>>>>>> theirs
    ];
  services.motd = ''
    There is no end to this.
