#!/bin/sh
docker run -v /var/run/docker.sock:/s acme/agent
