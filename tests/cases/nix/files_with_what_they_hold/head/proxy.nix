{ username, pkgs, ... }:
let
  stack = "proxy";
  composeFile = pkgs.writeText "docker-compose.yml" ''
    services:
      panel:
        image: acme/panel
        volumes:
          - /run/docker.sock:/run/docker.sock
  '';
in
{
  home-manager.users."${username}".home.file = {
    "${stack}/docker-compose.yml" = {
      enable = true;
      text = ''
        services:
          ${stack}:
            image: acme/proxy:latest
            volumes:
              - /var/run/docker.sock:/var/run/docker.sock:ro
              - ./proxy.yaml:/proxy.yaml
        networks:
          web:
            external: true
      '';
      target = "stacks/${stack}/docker-compose.yml";
    };
    "${stack}/proxy.yaml".text = ''
      providers:
        docker:
          endpoint: "unix:///var/run/docker.sock"
    '';
  };
  environment.etc."docker/daemon.json".text = ''
    { "hosts": [ "tcp://0.0.0.0:2375" ] }
  '';
  environment.etc."motd".text = ''
    docker run -v /var/run/docker.sock:/var/run/docker.sock acme/agent
  '';
}
