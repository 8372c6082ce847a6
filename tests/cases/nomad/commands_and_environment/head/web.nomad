job "web" {
  group "app" {
    task "raw" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", "docker run -v /var/run/docker.sock:/s alpine"]
      }
    }
    task "client" {
      driver = "docker"
      config { image = "docker:27-cli" }
      env {
        DOCKER_HOST = "tcp://172.17.0.1:2375"
      }
    }
    task "rendered" {
      driver = "docker"
      config { image = "docker:27-cli" }
      template {
        data        = <<EOF
# where to go
DOCKER_HOST="tcp://10.0.0.2:2375"
EOF
        destination = "local/env"
        env         = true
      }
      template {
        data        = <<-EOF
          #!/bin/sh
          docker run \
            -v /run/docker.sock:/s alpine
          EOF
        destination = "local/run.sh"
      }
    }
  }
}
