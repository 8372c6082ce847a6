[[- define "runner" -]]
task "runner" {
  driver = "docker"
  config {
    image = "example.com/runner"
    [[- range $mount := .agent.mounts ]]
    mount {
      type   = "bind"
      source = [[ $mount.source | quote ]]
      target = [[ $mount.target | quote ]]
    }
    [[- end ]]
  }
}
[[- end -]]
