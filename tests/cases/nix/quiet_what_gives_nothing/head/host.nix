{ pkgs, lib, ... }:
/* volumes = [ "/var/run/docker.sock:/var/run/docker.sock" ]; */
{
  virtualisation.docker.enable = true;
  virtualisation.docker.listenOptions = [ "/run/docker.sock" ];
  users.users.ann.extraGroups = [ "wheel" "docker" ];

  virtualisation.oci-containers.containers.web = {
    image = "acme/web";
    cmd = [ "--providers.docker.endpoint=unix:///var/run/docker.sock" ];
    volumes = [
      # "/var/run/docker.sock:/var/run/docker.sock"
      "sockets:/var/run"
      "./run:/var/run/docker.sock"
      "/run/postgresql:/run/postgresql"
      "/srv/web:/data"
    ];
    environment.DOCKER_HOST = "tcp://builder:2376";
    environment.DOCKER_HOST_NAME = "tcp://builder:2375";
  };

  services.homepage-dashboard.docker.local.socket = "/var/run/docker.sock";
  systemd.services.web = {
    requires = [ "docker.socket" ];
    preStart = ''
      test -S /var/run/docker.sock || exit 1
      echo "docker run -v /var/run/docker.sock:/var/run/docker.sock web"
    '';
  };
}
