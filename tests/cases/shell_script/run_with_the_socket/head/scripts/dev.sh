#!/usr/bin/env bash
set -euo pipefail
docker run -d \
  --name agent --read-only --cap-drop=ALL \
  -v /var/run/docker.sock:/var/run/docker.sock:ro \
  acme/agent:1.2
