{ lib, ... }:
{
  job.agent.group.agent = {
    volume.engine = { type = "host"; source = "engine"; readOnly = true; };
    task.agent = {
      driver = "docker";
      config.image = "acme/agent:2";
      volumeMounts = [
        { volume = "data"; destination = "/data"; }
        {
          volume = "engine";
          destination = "/var/run/docker.sock";
        }
      ];
      template = [ { destination = "/run/docker.sock"; data = "x"; } ];
    };
  };
}
