"""One container of a pod -> what its mounts, its environment and its commands reach.

Source: Kubernetes API reference: Container, VolumeMount, HostPathVolumeSource, Lifecycle, Probe.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from posixpath import normpath

from bot.detect import sockets
from bot.detect.ci.places import Environment, Place, Places, Subject, address_grants, aliases
from bot.detect.ci.steps import argv_grants, script_grants
from bot.detect.grant import Grant, How, Step
from bot.detect.mounts import repository, split_short
from bot.detect.patterns import pattern
from bot.detect.pods.hardening import undermined
from bot.detect.pods.values import Given, Resolve, text_of, written
from bot.detect.positioned import Node
from bot.detect.shell import Value

_DOCKER_IMAGE = pattern(r"(?:\A|/)docker\Z")
_REFERENCE = pattern(r"\$\((?P<name>[A-Za-z_]\w*)\)")
_FOREIGN_SCRIPT = pattern(r"#!(?!.*\b(?:ba|da|a|z|k)?sh\b)")
_HOOKS = (
    ("lifecycle", "postStart", "exec", "command"),
    ("lifecycle", "preStop", "exec", "command"),
    ("livenessProbe", "exec", "command"),
    ("readinessProbe", "exec", "command"),
    ("startupProbe", "exec", "command"),
)
# What a program of the container itself does with a daemon that is mounted into it anyway.
_OWN = frozenset({How.ADDRESS, How.RAW_API, How.DECLARED})


class Containers:
    """Reads containers of one file. `resolve` gives the values of scalars."""

    def __init__(self, places: Places, resolve: Resolve = written) -> None:
        self._places = places
        self._text = places.texts[places.path]
        self._resolve = resolve

    def grants(
        self,
        subject: str,
        container: Node,
        volumes: Mapping[str, Node],
        pods: Sequence[Node] = (),
        defaults: Node | None = None,
    ) -> Iterator[Grant]:
        """Yield what one container is handed.

        `volumes` are those of its pod by name, `pods` the pod specs around it (innermost last),
        `defaults` a container whose mounts and variables it takes over (Tekton's stepTemplate).
        """
        image = text_of(container.get("image"), self._resolve)
        who = Subject(
            subject,
            repository(image) if image else None,
            container.digest(frozenset({"name"})),
            (container.line, container.last_line),
        )
        reached: set[str] = set()
        for holder in (container, *((defaults,) if defaults is not None else ())):
            listed = holder.get("volumeMounts")
            for mount in listed.listed() if listed is not None else ():
                name = text_of(mount.get("name"), self._resolve)
                volume = volumes[name] if name in volumes else self._meant(mount, volumes)
                for grant in self.volume(who, volume, mount) if volume is not None else ():
                    reached.add(grant.resource)
                    restricted = undermined(self._places.path, container, pods)
                    yield replace(grant, undermines=restricted)
        shared = _shared(container, volumes, self._resolve)
        for grant in self._run(who, container, defaults):
            own = grant.how in _OWN and grant.image == who.image
            local = "://" not in grant.resource or grant.resource.startswith("unix:")
            if not (own and local and (reached or _inside(grant.resource, shared))):
                yield grant

    def volume(self, who: Subject, volume: Node, mount: Node | None = None) -> Iterator[Grant]:
        """Yield what a volume with a hostPath reaches, by itself or as it is mounted."""
        path = _host_path(volume)
        if path is None or path.kind != "scalar":
            return
        mount = mount if mount is not None and mount.kind == "map" else None
        inner = mount.get("subPath") or mount.get("subPathExpr") if mount is not None else None
        below = text_of(inner, self._resolve)
        at = mount.get("mountPath") if mount is not None else None
        told: set[str] = set()
        for given in self._resolve(path).all():
            source = f"{given.text.rstrip('/')}/{below}" if below else given.text
            target = sockets.mount(source, text_of(at, self._resolve) or None)
            if target is not None and target.resource not in told:
                told.add(target.resource)
                yield Grant(
                    path=self._places.path,
                    line=path.line,
                    text=self._text.line(path.line),
                    subject=who.name,
                    image=who.image,
                    resource=target.resource,
                    how=target.how,
                    severity=target.severity,
                    steps=self._way(given, path, volume, mount, inner, at),
                    definition=who.definition,
                    extent=who.extent,
                )

    def _meant(self, mount: Node, volumes: Mapping[str, Node]) -> Node | None:
        """Return the volume that a mount means whose name is misspelt: one of the same daemon."""
        at = sockets.host_path(text_of(mount.get("mountPath"), self._resolve))
        if at is None or at.how is not How.MOUNT:
            return None
        for volume in volumes.values():
            path = _host_path(volume)
            if path is not None and sockets.host_path(self._resolve(path).text) == at:
                return volume
        return None

    def _way(self, given: Given, path: Node, *nodes: Node | None) -> tuple[Step, ...]:
        """Return the way: the path, the volume's name, then the mount's lines."""
        volume, mount, inner, at = nodes
        names = [one.get("name") if one is not None else None for one in (volume, mount)]
        steps: list[Step] = [*given.before]
        for node in (path, names[0], inner, at, names[1]):
            if node is not None:
                steps.append(Step(self._places.path, node.line))
                steps.extend(aliases(node, self._places.path))
        return tuple(dict.fromkeys(steps))

    def _run(self, who: Subject, container: Node, defaults: Node | None) -> Iterator[Grant]:
        env = self.environment(defaults.get("env") if defaults is not None else None)
        env |= self.environment(container.get("env"))
        yield from address_grants(self._places, who, env, env)
        yield from self._command(who, container, env)
        for chain in _HOOKS:
            hook = container.get(*chain)
            if hook is not None:
                yield from argv_grants(self._places, who, hook.listed(), env)
        for name in ("script", "source"):
            script = container.get(name)
            if script is not None and script.kind == "scalar":
                yield from self.script(who, script, env)

    def script(self, who: Subject, script: Node, env: Environment) -> Iterator[Grant]:
        """Yield what a script reaches, unless its first line names another language."""
        if not _FOREIGN_SCRIPT.match(script.text):
            yield from script_grants(self._places, who, (script,), env)

    def environment(self, node: Node | None) -> Environment:
        """Return the variables of an `env:` list whose values are given."""
        found: Environment = {}
        for item in node.listed() if node is not None else ():
            name, value = item.get("name"), item.get("value")
            if name is None or value is None or value.kind != "scalar":
                continue
            given = self._resolve(value)
            way = aliases(value, self._places.path)
            place = Place(self._places.path, value.line, given.before, way)
            found[name.text] = Value(given.text, self._places.put(place))
        return found

    def _command(self, who: Subject, container: Node, env: Environment) -> Iterator[Grant]:
        command, args = container.get("command"), container.get("args")
        words: list[Node | Value | str] = [
            self._word(word, env)
            for part in (command, args)
            if part is not None
            for word in part.listed()
            if word.kind == "scalar"
        ]
        if words and command is None:
            words = [*self._implied(container, words[0]), *words]
        if words:
            yield from argv_grants(self._places, who, words, env)

    def _word(self, word: Node, env: Environment) -> Node | Value:
        """Return a word of a command with `$(NAME)` put in, which the kubelet does, not a shell."""
        given = self._resolve(word)
        if given.text == word.text and not any(
            found["name"] in env for found in _REFERENCE.finditer(word.text)
        ):
            return word

        def value(found: re.Match[str]) -> str:
            known = env.get(found["name"])
            return known.text if known is not None else found[0]

        place = Place(self._places.path, word.line, given.before, aliases(word, self._places.path))
        return Value(_REFERENCE.sub(value, given.text), self._places.put(place))

    def _implied(self, container: Node, first: Node | Value | str) -> tuple[str, ...]:
        """Return what the entry point of the `docker` image puts before its arguments."""
        image = text_of(container.get("image"), self._resolve)
        if not image or not _DOCKER_IMAGE.search(repository(image)):
            return ()
        text = first if isinstance(first, str) else first.text
        if not text.startswith("-"):
            return ()
        return ("dockerd",) if "dind" in split_short(image)[-1] else ("docker",)


def _host_path(volume: Node) -> Node | None:
    if volume.kind != "map":
        return None
    return volume.get("hostPath", "path") or volume.get("host_path", "path")


def _shared(container: Node, volumes: Mapping[str, Node], resolve: Resolve) -> list[str]:
    """Return where a container has volumes that are the pod's own, not the host's.

    A volume that stands elsewhere, as for a part of a template, is what counts where it stands.
    """
    mounts = container.get("volumeMounts")
    return [
        sockets.normalise(normpath(text_of(mount.get("mountPath"), resolve) or "."))
        for mount in (mounts.listed() if mounts is not None else ())
        if (volume := volumes.get(text_of(mount.get("name"), resolve))) is None
        or _host_path(volume) is None
    ]


# Where clients look for the sockets of the daemons that are named by no path.
_USUAL = {
    "docker": "/run/docker.sock",
    "podman": "/run/podman/podman.sock",
    "containerd": "/run/containerd/containerd.sock",
    "crio": "/run/crio/crio.sock",
    "buildkit": "/run/buildkit/buildkitd.sock",
}


def _inside(resource: str, folders: Sequence[str]) -> bool:
    """Tell whether a daemon's socket lies in one of the pod's own volumes."""
    where = _USUAL.get(resource) or resource.removeprefix("unix://")
    return any(where == folder or where.startswith(folder + "/") for folder in folders)
