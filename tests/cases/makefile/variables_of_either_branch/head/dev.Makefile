TZ = `readlink $(FLAGS) /etc/localtime | sed s/x/y/`

ifeq ($(IN_CONTAINER),1)
MOUNT ?= -v /var/run/docker.sock:/var/run/docker.sock
RUN = docker run --rm -e TZ="$(TZ) local" \
	-u $(shell id -u) \
	$(MOUNT) \
	$(MORE_OPTIONS) \
	example/tools
else
RUN =
endif

build:
	$(RUN) build all
