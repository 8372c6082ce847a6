set -gx DOCKER_HOST tcp://10.1.2.3:2375
