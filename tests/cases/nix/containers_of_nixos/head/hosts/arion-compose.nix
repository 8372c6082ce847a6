{ pkgs, ... }: {
  project.name = "web";
  services = {
    router.service = {
      image = "acme/router:1";
      volumes = [ "/var/run/docker.sock:/var/run/docker.sock" ];
    };
    web.service.useHostStore = true;
  };
}
