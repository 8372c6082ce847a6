{ config, lib, pkgs, ... }:

{
  virtualisation.oci-containers.backend = "docker";

  virtualisation.oci-containers.containers.proxy = {
    image = "acme/proxy:3";
    ports = [ "80:80" ];
    # "/run:/run" was here
    volumes = [ "/var/run/docker.sock:/var/run/docker.sock:ro" "proxy:/data" ];
  };

  virtualisation.oci-containers.containers = lib.mkIf config.acme.enable {
    panel = {
      image = "acme/panel";
      volumes = [
        "panel:/data"
      ]
      ++ lib.optional config.acme.local "/run/podman/podman.sock:/var/run/docker.sock"
      ++ (if config.acme.all then [ "/:/host:ro" ] else [ ]);
    };
    "agent-${config.networking.hostName}" = {
      image = "acme/agent";
      extraOptions = [
        "--network=host"
        "--mount=type=bind,source=/run/docker.sock,target=/run/docker.sock"
        "-v"
        "/var/run:/host/run"
      ];
    };
  };

  services.gitlab-runner.services.default.dockerVolumes = [ "/var/run/docker.sock:/var/run/docker.sock" ];
  services.gitea-actions-runner.instances.main.settings.container.options = "-v /run/docker.sock:/run/docker.sock";

  containers.build.bindMounts."/run/docker.sock" = { isReadOnly = false; };
  containers.test.bindMounts = {
    "/engine.sock".hostPath = "/run/containerd/containerd.sock";
  };
}
