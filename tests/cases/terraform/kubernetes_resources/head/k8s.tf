resource "kubernetes_daemonset" "agent" {
  metadata {
    name = "agent"
  }
  spec {
    template {
      spec {
        container {
          name  = "agent"
          image = "example.com/agent"
          security_context {
            run_as_user = 1000
          }
          volume_mount {
            name       = "engine"
            mount_path = "/engine.sock"
          }
        }
        container {
          name  = "other"
          image = "example.com/other"
        }
        volume {
          name = "data"
          empty_dir {}
        }
        volume {
          name = "engine"
          host_path {
            path = "/var/run/docker.sock"
          }
        }
      }
    }
  }
}

resource "kubernetes_persistent_volume_v1" "run" {
  spec {
    persistent_volume_source {
      host_path {
        path = "/run/containerd"
      }
    }
  }
}

resource "kubernetes_manifest" "pod" {
  manifest = {
    apiVersion = "v1"
    kind       = "Pod"
    metadata   = { name = "written" }
    spec = {
      containers = [{
        name         = "c"
        image        = "example.com/c"
        volumeMounts = [{ name = "v", mountPath = "/s" }]
      }]
      volumes = [{
        name     = "v"
        hostPath = { path = "/run/crio/crio.sock" }
      }]
    }
  }
}

resource "kubectl_manifest" "text" {
  yaml_body = <<-YAML
    apiVersion: v1
    kind: Pod
    metadata:
      name: text
    spec:
      containers:
        - name: c
          image: example.com/c
          volumeMounts:
            - {name: v, mountPath: /s}
      volumes:
        - name: v
          hostPath:
            path: /var/run/docker.sock
  YAML
}
