#!/bin/sh
exec docker compose "$@"
