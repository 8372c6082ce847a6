"""Host path, pipe or address -> which daemon."""

import pytest

from bot.detect import mounts, sockets
from bot.detect.grant import How, Severity

SOCKETS = {
    "/var/run/docker.sock": "docker",
    "/run/docker.sock": "docker",
    "//var/run/docker.sock": "docker",
    "/var/run/docker.sock/": "docker",
    "/run/./x/../docker.sock": "docker",
    "/proc/1/root/run/docker.sock": "docker",
    "/var/run/docker.sock.raw": "docker",
    "~/.docker/run/docker.sock": "docker",
    "$HOME/.docker/desktop/docker.sock": "docker",
    "/Users/me/.rd/docker.sock": "docker",
    "/home/me/.colima/default/docker.sock": "docker",
    "~/.lima/default/sock/docker.sock": "docker",
    "~/.orbstack/run/docker.sock": "docker",
    "/volume1/docker/docker.sock": "docker",
    "../../var/run/docker.sock": "docker",
    "${SOCKETS}/docker.sock": "docker",
    "${SOCKET:-/var/run/docker.sock}": "docker",
    "${{ inputs.socket || '/var/run/docker.sock' }}": "docker",
    '{{ .Values.socket | default "/run/containerd/containerd.sock" }}': "containerd",
    "${XDG_RUNTIME_DIR}/docker.sock": "docker-rootless",
    "/run/user/1000/docker.sock": "docker-rootless",
    "/run/user/$(id -u)/podman/podman.sock": "podman-rootless",
    "%t/podman/podman.sock": "podman-rootless",
    "/run/podman/podman.sock": "podman",
    "/run/containerd/containerd.sock": "containerd",
    "/run/k3s/containerd/containerd.sock": "containerd",
    "/var/run/crio/crio.sock": "crio",
    "/var/run/cri-dockerd.sock": "cri-dockerd",
    "/var/run/dockershim.sock": "dockershim",
    "/run/buildkit/buildkitd.sock": "buildkit",
    "/var/run/balena-engine.sock": "balena-engine",
    "/run/dagger/engine.sock": "dagger",
    r"\\.\pipe\docker_engine": "docker",
    r"\\\\.\\pipe\\docker_engine": "docker",
    "//./pipe/docker_engine": "docker",
    "npipe:////./pipe/docker_engine": "docker",
    r"\\.\pipe\containerd-containerd": "containerd",
}
DIRECTORIES = {
    "/": "/",
    "/..": "/",
    "/var/run": "/run",
    "/var/run/": "/run",
    "/etc/../run": "/run",
    "/run/user/1000": "/run/user/1000",
    "/run/podman": "/run/podman",
    "/run/containerd/": "/run/containerd",
    "~/.colima/default": "~/.colima/default",
}
HARMLESS = (
    "", "./x", "./docker.sock", ".", "data", "docker-sock", "/var/run/postgresql", "/run/tor",
    "/var/run/docker.sock.md", "/var/lib/docker", "/tmp", "$SOCK", "$PWD/docker.sock",
    "${{ github.workspace }}", "/home/me/src", "/run/myapp/app.sock", "x" * 10_000,
)  # fmt: skip
ADDRESSES = {
    "unix:///var/run/docker.sock": "docker",
    "unix:/var/run/docker.sock": "docker",
    "tcp://${HOST}:${PORT}": "tcp://${HOST}:${PORT}",
    "tcp://${HOST:-build}": "tcp://${HOST:-build}:2375",
    "tcp://{{ host | default('a/b:c') }}:2375": "tcp://{{ host | default('a/b:c') }}:2375",
    "tcp://[::1]": "tcp://[::1]:2375",
    "tcp://[::1]:2375": "tcp://[::1]:2375",
    "unix:///custom/engine.sock": "unix:///custom/engine.sock",
    "npipe:////./pipe/docker_engine": "docker",
    "tcp://docker:2375": "tcp://docker:2375",
    "tcp://10.0.0.1": "tcp://10.0.0.1:2375",
    "tcp://${d.id}": "tcp://${d.id}:2375",
    "localhost:2375": "tcp://localhost:2375",
    ":2375": "tcp://localhost:2375",
    "ssh://me@host": "ssh://me@host",
    "/var/run/docker.sock": "docker",
    "${{ steps.engine.outputs.host }}": "${{ steps.engine.outputs.host }}",
}
NO_ADDRESSES = (
    "",
    "tcp://docker:2376",
    "https://docker:2376",
    "$DOCKER_HOST",
    "true",
    "./docker.sock",
)


@pytest.mark.parametrize(("path", "resource"), SOCKETS.items())
def test_a_socket_in_any_spelling(path: str, resource: str) -> None:
    reached = sockets.host_path(path)
    assert reached is not None
    assert (reached.resource, reached.how) == (resource, How.MOUNT)
    rootless = resource.endswith("-rootless")
    assert reached.severity is (Severity.HIGH if rootless else Severity.CRITICAL)


@pytest.mark.parametrize(("path", "resource"), DIRECTORIES.items())
def test_a_directory_that_holds_a_socket(path: str, resource: str) -> None:
    reached = sockets.host_path(path)
    assert reached is not None
    assert (reached.resource, reached.how) == (resource, How.DIRECTORY)


@pytest.mark.parametrize("path", HARMLESS)
def test_a_path_that_reaches_nothing(path: str) -> None:
    assert sockets.host_path(path) is None


@pytest.mark.parametrize(("url", "resource"), ADDRESSES.items())
def test_an_address_of_a_daemon(url: str, resource: str) -> None:
    reached = sockets.address(url)
    assert reached is not None
    assert (reached.resource, reached.how) == (resource, How.ADDRESS)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_an_address_that_is_none_or_verified(url: str) -> None:
    assert sockets.address(url) is None


def test_a_variable_that_nothing_gives_is_judged_by_its_target() -> None:
    assert sockets.mount("$SOCK", "/var/run/docker.sock") is not None
    assert sockets.mount("$SOCK", "/data") is None
    assert sockets.mount("named", "/var/run/docker.sock") is None


def test_variables_that_only_look_alike() -> None:
    assert sockets.daemon_variable("DOCKER_HOST")
    assert not sockets.daemon_variable("DOCKER_HOST_IP")
    assert not sockets.daemon_variable("DOCKER_HOSTNAME")


def test_options_that_take_an_endpoint() -> None:
    assert sockets.endpoint_option("--providers.docker.endpoint")
    assert not sockets.endpoint_option("-H")


def test_mentions_name_a_daemon_and_not_its_unit() -> None:
    assert sockets.mentions("needs /var/run/docker.sock") == "docker.sock"
    assert sockets.mentions("systemctl enable docker.socket") is None


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("/a:/b:ro", ("/a", "/b", "ro")),
        (r"\\.\pipe\docker_engine:\\.\pipe\docker_engine", (r"\\.\pipe\docker_engine",) * 2),
        (r"C:\x:/y", (r"C:\x", "/y")),
        ("${A:-/x}:/y", ("${A:-/x}", "/y")),
        ("${{ a:b }}:/y", ("${{ a:b }}", "/y")),
        ("/only", ("/only",)),
        ("${A:/y", ("${A:/y",)),
    ],
)
def test_a_short_mount_is_split_at_its_own_colons(text: str, fields: tuple[str, ...]) -> None:
    assert mounts.split_short(text) == fields


@pytest.mark.parametrize(
    ("option", "resource"),
    [
        ("type=bind,source=/var/run/docker.sock,target=/x", "docker"),
        ("type=bind,src=/var/run/docker.sock,dst=/x,readonly", "docker"),
        ('type=bind,"source=/run/docker.sock",target=/x', "docker"),
        (
            "type=npipe,source=\\\\.\\pipe\\docker_engine,target=\\\\.\\pipe\\docker_engine",
            "docker",
        ),
        (
            "type=volume,src=v,dst=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/run",
            "/run",
        ),
        ("type=glob,src=/run/docker.s*,dst=/x", "docker"),
        ("type=volume,src=docker-sock,dst=/var/run/docker.sock", None),
        ("type=tmpfs,dst=/run", None),
        ("source=/var/run/docker.sock,target=/x", "docker"),
    ],
)
def test_a_mount_option(option: str, resource: str | None) -> None:
    reached = mounts.mount_option(option)
    assert (reached.resource if reached else None) == resource


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("a", "a"),
        ("a:1", "a"),
        ("ghcr.io/a/b:1@sha256:00", "ghcr.io/a/b"),
        ("host:5000/a", "host:5000/a"),
        ("host:5000/a:${TAG:-x}", "host:5000/a"),
        ("docker://alpine:3", "alpine"),
        ("$IMAGE", "$IMAGE"),
    ],
)
def test_an_image_without_tag_and_digest(image: str, repository: str) -> None:
    assert mounts.repository(image) == repository
