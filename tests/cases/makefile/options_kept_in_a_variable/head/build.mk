RUN_OPTS = --rm
RUN_OPTS += -v /var/run/docker.sock:/var/run/docker.sock

test: build ; docker run $(RUN_OPTS) tester
