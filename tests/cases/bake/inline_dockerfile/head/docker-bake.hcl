target "agent" {
  dockerfile-inline = <<EOT
FROM docker:cli
ENV DOCKER_HOST=unix:///var/run/docker.sock
CMD ["docker", "ps"]
EOT
}
