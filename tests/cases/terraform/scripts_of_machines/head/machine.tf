variable "image" {
  default = "example.com/agent"
}

resource "aws_instance" "runner" {
  user_data = <<-EOF
    #!/bin/bash
    apt-get install -y docker.io
    SOCK=$${SOCK:-/var/run/docker.sock}
    docker run -d -v "$SOCK:$SOCK" ${var.image}
  EOF

  provisioner "remote-exec" {
    inline = [
      "sudo systemctl start docker",
      "sudo chmod 666 /var/run/docker.sock",
    ]
  }

  provisioner "local-exec" {
    command = "docker -H tcp://${self.public_ip}:2375 ps"
  }
}

resource "google_compute_instance" "runner" {
  metadata = {
    startup-script = <<EOT
#!/bin/sh
dockerd -H tcp://0.0.0.0:2375
EOT
  }
}
