"""A service -> a digest of what it does, however it is written and whatever it is called."""

from bot.detect.compose.values import Value, hashed, mounted, target_of
from bot.detect.mounts import repository, split_short
from bot.detect.sockets import normalise

# Its own names; and what is told in one spelling instead.
_LEFT_OUT = frozenset({"container_name", "hostname", "extends"})


def definition(service: Value) -> str:
    """Return a digest without name, place, style, order of keys, image tag and mount modes."""
    parts: list[str] = []
    for name, value in service.fields().items():
        if name in _LEFT_OUT or value.taken_away:
            continue
        if name == "image":
            parts.append(f"image={repository(value.text)}")
        elif name == "volumes":
            parts += [f"volume={_mount(item)}" for item in mounted(service, name)]
        elif name in {"secrets", "configs"}:
            parts += [f"{name}={target_of(item, '/')}" for item in mounted(service, name)]
        elif name == "environment":
            parts += [f"environment={one}" for item in value.flat() for one in _settings(item)]
        else:
            parts.append(f"{name}={value.digest()}")
    return hashed(*sorted(parts))


def _mount(item: Value) -> str:
    if item.kind == "map":
        source = item.get("source") or item.get("src")
        kind = item.get("type")
        if source is not None and (kind is None or kind.text in {"bind", "volume", "npipe"}):
            return f"{normalise(source.text)}:{target_of(item)}"
        return item.digest()
    fields = split_short(item.text)
    return ":".join((normalise(fields[0]), *fields[1:2]))


def _settings(item: Value) -> list[str]:
    if item.kind == "map":
        return [f"{name}={value.text}" for name, value in item.fields().items()]
    return [item.text]
