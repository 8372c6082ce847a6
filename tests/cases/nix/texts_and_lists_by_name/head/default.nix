{ config, lib, ... }:
let
  cfg = config.services.watch;
  engine = "/var/run/docker.sock";
  twice = "/run/podman/podman.sock";
  shared = [
    "/etc/localtime:/etc/localtime:ro"
    "/run/docker.sock:/run/docker.sock"
  ];
  other = let twice = "/tmp/x"; in twice;
in
{
  options.services.watch.socket = lib.mkOption {
    type = lib.types.str;
    default = "/run/docker.sock";
    description = "Where docker listens: /var/run/docker.sock:/var/run/docker.sock";
  };

  config.virtualisation.oci-containers.containers = {
    one = { image = "acme/one"; volumes = [ "${engine}:/engine.sock" ]; };
    two = { image = "acme/two"; volumes = shared ++ [ "two:/data" ]; };
    three = { image = "acme/three"; volumes = [ "${cfg.socket}:/engine.sock" ]; };
    four = { image = "acme/four"; volumes = [ "${twice}:/data" ]; };
  };
}
