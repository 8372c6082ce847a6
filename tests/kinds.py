"""One small pull request for every kind of finding: what people read of it is looked at and kept.

`NAME` in a file, or in the name of one, is where a pull request may say what it likes.
"""

from dataclasses import dataclass, field, replace
from datetime import date
from difflib import unified_diff

from bot.detect.source import DictSource
from bot.gate.facts import Account, Facts
from bot.gate.verdict import Because, Verdict, verdict
from bot.pull import PullRef
from bot.review.compare import compare
from bot.review.hunks import read_hunks
from bot.review.model import Change, Review

NAME = "NAME"
_PROXY = """\
  socket-proxy:
    image: tecnativa/docker-socket-proxy:v0.4.2
    environment: {settings}
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a pull request adds, `files`, to what was there `before`."""

    name: str
    files: dict[str, str]
    before: dict[str, str] = field(default_factory=dict)
    implicit: bool = False  # only reported where the policy asks for it

    def named(self, name: str) -> "Kind":
        """Return the same with another name in the place of NAME."""
        named = {
            path.replace(NAME, name): text.replace(NAME, name) for path, text in self.files.items()
        }
        return replace(self, files=named)

    def review(self) -> Review:
        """Compare as an evaluation does."""
        base, head = DictSource(self.before), DictSource(self.before | self.files)
        changes = [self._change(path) for path in self.files]
        return compare(base, head, changes, implicit=self.implicit)

    def _change(self, path: str) -> Change:
        old, new = (files.get(path, "") for files in (self.before, self.files))
        lines = unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True))
        return Change(path if old else None, path, read_hunks("".join(list(lines)[2:])))


FACTS = Facts(
    PullRef(1, "acme", "shop", 1), "h" * 40, "b" * 40, is_open=True, author=Account("dev")
)


HELD = Verdict(Because.UNJUSTIFIED)  # by the strict defaults, whatever it is about


def judged(review: Review) -> Verdict:
    """Judge by the strict defaults, as a pull request of dev's that nobody has labelled."""
    return verdict(review, FACTS, date(2026, 11, 23))


KINDS = (
    Kind(
        "a compose service of a tool that is known",
        {
            "compose.yaml": """\
services:
  NAME:
    image: traefik:v3.6
    command: [--providers.docker=true]
    user: "65534:65534"
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
"""
        },
    ),
    Kind(
        "a tool that one edit puts behind the proxy of its file",
        {
            "compose.yaml": "services:\n"
            + _PROXY.format(settings="{CONTAINERS: 1, INFO: 1}")
            + "  NAME:\n    image: amir20/dozzle:v8\n    environment:\n      TZ: UTC\n"
            "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n"
        },
        {"compose.yaml": "services:\n" + _PROXY.format(settings="{CONTAINERS: 1, INFO: 1}")},
    ),
    Kind(
        "a tool that does without the socket",
        {
            "compose.yaml": "services:\n  NAME:\n    image: lissy93/dashy:3\n    volumes:\n"
            "      - ./conf.yml:/app/user-data/conf.yml\n"
            "      - /var/run/docker.sock:/var/run/docker.sock\n"
        },
    ),
    Kind(
        "a tool that no proxy makes harmless",
        {
            "compose.yaml": "services:\n  NAME:\n    image: portainer/portainer-ce:2.33.0\n"
            "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n"
        },
    ),
    Kind(
        "a compose service of an image that nobody knows",
        {
            "compose.yaml": """\
services:
  NAME:
    image: ghcr.io/acme/agent:7
    user: "1000"
    volumes:
      - type: bind
        source: /run/docker.sock
        target: /var/run/docker.sock
"""
        },
    ),
    Kind(
        "three services that take the same fragment",
        {
            "compose.yaml": """\
x-agent: &agent
  read_only: true
  volumes:
    - /var/run/docker.sock:/var/run/docker.sock
services:
  NAME: {<<: *agent, image: acme/one}
  two: {<<: *agent, image: acme/two}
  three: {<<: *agent, image: acme/three}
"""
        },
    ),
    Kind(
        "a service that extends one of another file",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/agent\n"
            "    extends: {file: base.yaml, service: agent}\n"
        },
        {
            "base.yaml": "services:\n  agent:\n    read_only: true\n    volumes:\n"
            "      - /var/run/docker.sock:/var/run/docker.sock\n"
        },
    ),
    Kind(
        "a proxy that opens enough for root",
        {
            "compose.yaml": "services:\n"
            + _PROXY.format(settings="{CONTAINERS: 1, POST: 1}")
            + "    ports: ['2375:2375']\n  NAME:\n    image: acme/agent\n"
            "    environment:\n      DOCKER_HOST: tcp://socket-proxy:2375\n"
        },
    ),
    Kind(
        "a proxy that only reads",
        {"compose.yaml": "services:\n" + _PROXY.format(settings="{CONTAINERS: 1}")},
    ),
    Kind(
        "a folder that holds the socket",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/agent\n    volumes:\n"
            "      - /var/run:/host/run:ro\n"
        },
    ),
    Kind(
        "the whole file system of the host",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/backup\n    cap_drop: [ALL]\n"
            "    volumes:\n      - /:/host:ro\n"
        },
    ),
    Kind(
        "the socket of a rootless daemon",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/agent\n    volumes:\n"
            "      - ${XDG_RUNTIME_DIR}/docker.sock:/var/run/docker.sock\n"
        },
    ),
    Kind(
        "a switch of compose",
        {"compose.yaml": "services:\n  NAME:\n    image: acme/agent\n    use_api_socket: true\n"},
    ),
    Kind(
        "the socket as a secret",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/agent\n    secrets: [daemon]\n"
            "secrets:\n  daemon:\n    file: /var/run/docker.sock\n"
        },
    ),
    Kind(
        "the mounts of another container",
        {
            "start.sh": "docker run -d --name proxy -v /var/run/docker.sock:/tmp/docker.sock a/b\n"
            "docker run -d --volumes-from proxy acme/NAME\n"
        },
    ),
    Kind(
        "the address of a daemon without TLS",
        {
            "compose.yaml": "services:\n  NAME:\n    image: acme/agent\n    environment:\n"
            "      DOCKER_HOST: tcp://build.example.com:2375\n"
        },
    ),
    Kind(
        "an image that is set up for a socket",
        {"Dockerfile": "FROM alpine:3\nENV DOCKER_HOST=unix:///var/run/docker.sock\nUSER app\n"},
    ),
    Kind(
        "a container of a GitHub Actions job",
        {
            ".github/workflows/ci.yml": """\
on: push
jobs:
  NAME:
    runs-on: self-hosted
    container:
      image: ghcr.io/acme/tester:1
      options: --user 1000 --cap-drop ALL
      volumes:
        - /var/run/docker.sock:/var/run/docker.sock
    steps:
      - run: make test
"""
        },
    ),
    Kind(
        "a script of a GitLab job",
        {
            ".gitlab-ci.yml": "NAME:\n  image: docker:27-cli\n  variables:\n"
            "    DOCKER_HOST: unix:///var/run/docker.sock\n"
            "  script:\n    - docker build -t app .\n"
        },
    ),
    Kind(
        "an agent of a Jenkins pipeline",
        {
            "Jenkinsfile": """\
pipeline {
  agent {
    docker {
      image 'maven:3'
      args '-v /var/run/docker.sock:/var/run/docker.sock --read-only'
    }
  }
  stages { stage('NAME') { steps { sh 'mvn verify' } } }
}
"""
        },
    ),
    Kind(
        "a pod of Kubernetes",
        {
            "deploy/agent.yaml": """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      containers:
        - name: agent
          image: acme/agent:1
          securityContext:
            runAsNonRoot: true
            readOnlyRootFilesystem: true
          volumeMounts:
            - {name: run, mountPath: /run/containerd/containerd.sock}
      volumes:
        - name: run
          hostPath: {path: /run/containerd/containerd.sock}
"""
        },
    ),
    Kind(
        "docker run in a script",
        {
            "ci/NAME.sh": "#!/bin/sh\ndocker run --rm --read-only \\\n"
            "  -v /var/run/docker.sock:/var/run/docker.sock \\\n  ghcr.io/acme/tester:1\n"
        },
    ),
    Kind(
        "a build inside a container",
        {
            "compose.yaml": "services:\n  NAME:\n    image: docker:27-cli\n"
            "    command: docker build /src\n    volumes:\n"
            "      - /var/run/docker.sock:/var/run/docker.sock\n"
        },
    ),
    Kind(
        "curl on the socket",
        {"check.sh": "curl --unix-socket /var/run/docker.sock http://d/containers/json\n"},
    ),
    Kind("a daemon that listens to everybody", {"up.sh": "dockerd -H tcp://0.0.0.0:2375 &\n"}),
    Kind(
        "a relay",
        {"up.sh": "socat TCP-LISTEN:2375,fork,reuseaddr UNIX-CONNECT:/var/run/docker.sock &\n"},
    ),
    Kind("a socket for everybody on the host", {"up.sh": "sudo chmod 666 /var/run/docker.sock\n"}),
    Kind(
        "what a platform gives by itself",
        {
            ".github/workflows/ci.yml": "on: push\njobs:\n  NAME:\n    runs-on: self-hosted\n"
            "    container: ghcr.io/acme/tester:1\n    steps:\n      - run: make test\n"
        },
        implicit=True,
    ),
    Kind(
        "a file that cannot be read",
        {
            "compose.yaml": "services:\n  NAME:\n    image: [\n    volumes:\n"
            "      - {/var/run/docker.sock\n"
        },
    ),
)
