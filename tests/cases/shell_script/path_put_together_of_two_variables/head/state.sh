#!/bin/sh
ROOT=${ROOT:-/mnt/host}
ENGINE_SOCKET=${ROOT}/run/balena-engine.sock
curl --unix-socket "$ENGINE_SOCKET" http://localhost/images/json
