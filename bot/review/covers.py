"""Whether reaching one resource means reaching another one too."""

_ROOTLESS = frozenset({"docker-rootless", "podman-rootless"})
_BELOW_RUN = frozenset(
    {"docker", "podman", "containerd", "crio", "cri-dockerd", "dockershim", "buildkit", "dagger",
     "balena-engine", *_ROOTLESS}
)  # fmt: skip
_BELOW = {
    "/run/podman": frozenset({"podman"}),
    "/run/containerd": frozenset({"containerd"}),
    "/run/k3s": frozenset({"containerd"}),
    "/run/k3s/containerd": frozenset({"containerd"}),
    "/run/crio": frozenset({"crio"}),
    "/run/buildkit": frozenset({"buildkit"}),
}


def covers(wide: str, narrow: str) -> bool:
    """Tell whether whoever reaches `wide`, a directory of the host, reaches `narrow` anyway.

    Nothing covers itself: a second mount of the same is one more.
    """
    if wide == narrow or not wide.startswith("/"):
        return False
    if narrow.startswith(("/", "~")):
        return wide == "/" or narrow.startswith(wide + "/") or (wide == "/var" and narrow == "/run")
    if wide in {"/", "/run", "/var"}:
        return narrow in _BELOW_RUN
    if wide.startswith("/run/user"):
        return narrow in _ROOTLESS
    return narrow in _BELOW.get(wide, frozenset())
