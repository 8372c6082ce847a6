[[- $vars := .agent -]]
job [[ template "job_name" . ]] {
  datacenters = [ [[ range $idx, $dc := .agent.datacenters ]][[if $idx]],[[end]][[ $dc | quote ]][[ end ]] ]

  group "agent" {
    [[ template "runner" . ]]

    task "agent" {
      driver = "docker"

      config {
        image = "[[ $vars.image ]]:[[ var "version" . ]]"
        mount {
          type   = "bind"
          source = [[ .agent.paths.socket | quote ]]
          target = [[ .agent.paths.target | quote ]]
        }
        volumes = [
          "local/agent.yaml:/etc/agent.yaml",
          [[- if $vars.privileged ]]
          "/:/host:ro,rslave",
          [[- end ]]
        ]
      }
    }
  }
}
