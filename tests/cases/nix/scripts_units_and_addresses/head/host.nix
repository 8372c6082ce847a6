{ pkgs, lib, ... }:
{
  systemd.services.agent = {
    after = [ "docker.service" "docker.socket" ];
    script = ''
      # ''${1} is the tag
      ${pkgs.docker}/bin/docker run --rm \
        -v /var/run/docker.sock:/var/run/docker.sock \
        "acme/agent:''${1}"
    '';
    serviceConfig = {
      ExecStartPre = "-${lib.getExe pkgs.docker} run -v /run/docker.sock:/run/docker.sock acme/setup";
      BindReadOnlyPaths = [ "/etc/hosts" "/run/podman/podman.sock:/run/docker.sock" ];
    };
  };

  environment.systemPackages = [
    (pkgs.writeShellScriptBin "scan" ''
      exec docker run -v /var/run/docker.sock:/var/run/docker.sock acme/scan "$@"
    '')
    (pkgs.writeShellApplication {
      name = "far";
      runtimeInputs = [ pkgs.docker ];
      text = ''
        docker -H tcp://build.lan:2375 "$@"
      '';
    })
  ];

  virtualisation.docker.listenOptions = [ "/run/docker.sock" "0.0.0.0:2375" ];
  home.sessionVariables.DOCKER_HOST = "unix:///run/user/1000/podman/podman.sock";
  services.woodpecker-agents.agents.main.environment = {
    WOODPECKER_SERVER = "ci.lan:9000";
    DOCKER_HOST = "tcp://build.lan:2375";
  };
}
