---%{ if length(envs) > 0 }
env:%{ for key, value in envs }
  ${key}: ${value}%{ endfor ~}

%{ endif }
steps:
  - command: |-
%{ for command in steps.commands ~}
      ${command}
%{ endfor ~}
    agents:
      - "queue=default"%{ if try(length(steps.paths), 0) > 0 }
    artifact_paths:%{ for path in steps.paths }
      - "${path}"%{ endfor }%{ endif }
    plugins:
      - docker#v3.8.0:
          image: "acme/builder"
          volumes:
            - "/etc/group:/etc/group:ro"
            - "/var/run/docker.sock:/var/run/docker.sock"
