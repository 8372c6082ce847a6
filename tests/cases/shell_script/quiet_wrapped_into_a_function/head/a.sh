#!/bin/sh
start() {
  docker run \
    -v /var/run/docker.sock:/s \
    acme/agent
}
start
