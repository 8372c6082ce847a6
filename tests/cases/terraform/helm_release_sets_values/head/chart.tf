resource "helm_release" "agent" {
  name  = "agent"
  chart = "agent"
  set {
    name  = "docker.socketPath"
    value = "/var/run/docker.sock"
  }
  set {
    name  = "agent.mountPath"
    value = "/var/run/docker.sock"
  }
  values = [
    <<-YAML
    extraVolumes:
      - name: run
        hostPath:
          path: /run/containerd
    YAML
    ,
    yamlencode({
      folder = { hostPath = "/var/run" }
    }),
  ]
}
