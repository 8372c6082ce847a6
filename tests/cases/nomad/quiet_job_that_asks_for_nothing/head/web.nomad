job "web" {
  # volumes = ["/var/run/docker.sock:/var/run/docker.sock"]
  group "app" {
    volume "engine" {
      type   = "csi"
      source = "engine"
    }
    task "server" {
      driver = "docker"
      config {
        image   = "example.com/web"
        volumes = ["sock/docker.sock:/var/run/docker.sock", "/var/run/postgresql:/pg"]
        labels {
          usage = "docker run -v /var/run/docker.sock:/var/run/docker.sock"
        }
      }
      env {
        DOCKER_HOST_IP = "10.0.0.1"
      }
    }
  }
}
