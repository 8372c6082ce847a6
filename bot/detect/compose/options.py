"""What a service passes on by an option: to a provider, into a build, to a client of its own.

Sources: Compose specification, "provider" and "build.ssh"; Docker CLI, `-H` (so also Portainer).
"""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.compose.mounts import Reached
from bot.detect.compose.values import Value
from bot.detect.grant import How
from bot.detect.patterns import pattern

_HOST = pattern(r"(?:\A|\s)(?:-H|--host)(?:\s+|=)(?P<url>(?:tcp://[^\s:]+:2375|ssh://\S+))")


def passed_on(service: Value) -> Iterator[Reached]:
    """Yield the daemons that options of a service name."""
    options = service.get("provider", "options")
    for option in options.fields().values() if options is not None else ():
        for value in option.listed():
            target = sockets.address(value.text)
            if target is not None:
                yield Reached(target, How.ADDRESS, value.steps(), "")
    forwarded = service.get("build", "ssh")
    for key, value in _pairs(forwarded) if forwarded is not None else ():
        target = sockets.host_path(key)
        if target is not None and target.how is How.MOUNT:
            yield Reached(target, How.MOUNT, value.steps(), "")
    yield from _client(service)


def _pairs(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield the paths of `build.ssh`: "id=path" in a list, or `id: path`."""
    if value.kind == "map":
        yield from ((item.text, item) for item in value.fields().values())
    for item in value.items():
        yield item.text.partition("=")[2], item


def _client(service: Value) -> Iterator[Reached]:
    """Yield the address that a command of options only (`-H tcp://…`) gives to its program."""
    command = service.get("command")
    if command is None:
        return
    words = (command,) if command.kind == "scalar" else command.items()
    text = " ".join(word.text for word in words[:64])
    found = _HOST.search(text) if text.lstrip().startswith("-") else None
    target = sockets.address(found["url"]) if found is not None else None
    if found is None or target is None or _listens(service):
        return
    said = next((word for word in words if found["url"] in word.text), command)
    yield Reached(target, How.ADDRESS, said.steps(), "")


def _listens(service: Value) -> bool:
    image = service.get("image")
    return image is not None and "dind" in image.text
