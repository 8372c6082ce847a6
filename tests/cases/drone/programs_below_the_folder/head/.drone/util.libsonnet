{ socket:: '/var/run/docker.sock' }
