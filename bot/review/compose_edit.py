"""A service of a compose file -> edits that take a daemon's socket from it, or put a proxy there.

Whether the detector then finds the grant gone is for `suggest` to try. Here it is made sure that
the file says exactly what was meant: one mount less, one variable or argument more, all else alike.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product

from bot.detect.grant import Grant
from bot.detect.lines import Text
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml
from bot.review.advice import Tool
from bot.review.edit import Edits, applied, suggestion
from bot.review.proxies import Proxy, proxies

_PORT = 2375
_MOST_ON_A_LINE = 2


def compose_edits(grant: Grant, tool: Tool, content: str, head: Source) -> Iterator[Edits]:
    """Yield edits of the compose file that a grant stands in, the plainest first.

    Without the socket where the tool needs none; else with a proxy of the same file in its place.
    """
    text = Text(content)
    service = _service(grant, text)
    if service is None:
        return
    goals: list[str] = [""] if tool.needs_nothing else []
    if tool.endpoint and tool.read_only:
        goals += [
            tool.endpoint.replace("PROXY", f"{proxy.name}:{_PORT}")
            for proxy in proxies(grant.path, head)
            if _serves(proxy, tool) and _reaches(service, proxy, text)
        ][:1]
    for goal, removal in product(goals, _removals(grant, service, content) if goals else ()):
        edits = dict(removal)
        set_it = _argument if goal.startswith("--") else _variable
        if (not goal or set_it(edits, service, goal, text)) and _is_meant(
            grant, service, goal, edits, content
        ):
            yield edits


def _serves(proxy: Proxy, tool: Tool) -> bool:
    return (
        proxy.is_by_section
        and proxy.only_reads
        and not proxy.published
        and {*tool.sections, *(tool.linuxserver_sections if proxy.is_linuxserver else ())}
        <= proxy.open
        and re.fullmatch(r"[a-z0-9][a-z0-9-]*", proxy.name) is not None
    )


def _services(text: Text) -> Node | None:
    tree = read_yaml(text)
    if tree.problem is not None or len(tree.documents) != 1:
        return None
    services = tree.documents[0].get("services")
    return services if services is not None and services.kind == "map" else None


def _service(grant: Grant, text: Text) -> Node | None:
    services = _services(text)
    pairs = services.pairs if services is not None else ()
    found = [value for key, value in pairs if f"service {key.text}" == grant.subject]
    if len(found) != 1 or found[0].kind != "map" or found[0].via:
        return None
    return found[0]


def _own(service: Node, name: str) -> tuple[Node, Node] | None:
    """Return a key and value that stand in the service itself; not through an alias."""
    found = [(key, value) for key, value in service.pairs if key.text == name]
    return found[0] if len(found) == 1 and not found[0][1].via else None


def _before(node: Node, content: str) -> str:
    """Return what stands on a node's line before it."""
    return content[content.rfind("\n", 0, node.start) + 1 : node.start]


def _removals(grant: Grant, service: Node, content: str) -> Iterator[Edits]:
    """Yield edits that take a mount on the line away, and a `volumes:` that would be left empty."""
    pair = _own(service, "volumes")
    if pair is None or pair[1].kind != "list" or _before(pair[0], content).strip():
        return
    key, volumes = pair
    alone = len(volumes.items) == 1
    on_one_line = content[volumes.start : volumes.start + 1] == "["
    if on_one_line and not key.line == volumes.line == volumes.last_line:
        return
    found = [item for item in volumes.items if item.line <= grant.line <= item.last_line]
    named = [item for item in found if "sock" in content[item.start : item.end]]
    for item in named[:_MOST_ON_A_LINE]:
        if on_one_line:
            yield {key.line: [] if alone else [_cut(item, volumes, content)]}
        elif _before(item, content).strip() == "-" and not (alone and _after_key(key, content)):
            first = key.line if alone else item.line
            yield {number: [] for number in range(first, item.last_line + 1)}


def _after_key(key: Node, content: str) -> str:
    """Return what stands after `volumes:` on its line, a comment aside."""
    rest = content[key.end :].split("\n", 1)[0].lstrip(" \t:")
    return "" if rest.startswith("#") else rest.strip()


def _cut(item: Node, items: Node, content: str) -> str:
    at = items.items.index(item)
    if at + 1 < len(items.items):
        start, end = item.start, items.items[at + 1].start
    else:
        start, end = items.items[at - 1].end, item.end
    line = content.rfind("\n", 0, start) + 1
    rest = content[end:].split("\n", 1)[0]
    return (content[line:start] + rest).removesuffix("\r")


def _argument(edits: Edits, service: Node, goal: str, text: Text) -> bool:
    """Add `goal` to the service's arguments, below one of its kind; False where not certain."""
    name, family = goal.partition("=")[0], goal.rpartition(".")[0]
    own = _own(service, "command")
    if own is None or own[1].kind != "list" or service.value("entrypoint") is not None:
        return False
    arguments = own[1].items
    if any(one.text.lower().partition("=")[0] == name for one in arguments):
        return any(one.text == goal for one in arguments)
    beside = next((one for one in arguments if one.text.lower().startswith(family)), None)
    if beside is None or beside.line != beside.last_line:
        return False
    indent = _before(beside, text.content)
    edits[beside.line] = [*edits.get(beside.line, [text.line(beside.line)]), indent + goal]
    return indent.strip() == "-"


def _variable(edits: Edits, service: Node, goal: str, text: Text) -> bool:
    """Add `goal` to the service's environment; False where that is not certain."""
    name, _, value = goal.partition("=")
    volumes = _own(service, "volumes")
    environment = service.value("environment")
    if volumes is None or service.value("env_file") is not None:
        return False
    if environment is None:
        indent = _before(volumes[0], text.content)
        at = volumes[0].line
        kept = edits.get(at, [text.line(at)])
        edits[at] = [f"{indent}environment:", f"{indent}  {name}: {value}", *kept]
        return not indent.strip()
    own = _own(service, "environment")
    if own is None or text.content[own[1].start : own[1].start + 1] in {"{", "["}:
        return False
    present = _variables(own[1])
    if present is None or present.get(name, value) != value:
        return False
    if name in present:
        return True
    if own[1].kind == "map":
        first = own[1].pairs[0][0]
        added, indent = f"{name}: {value}", _before(first, text.content)
        usable = not indent.strip()
    else:
        first = own[1].items[0]
        added, indent = f"{name}={value}", _before(first, text.content)
        usable = indent.strip() == "-"
    edits[first.line] = [indent + added, *edits.get(first.line, [text.line(first.line)])]
    return usable


def _variables(environment: Node | None) -> dict[str, str] | None:
    """Return what an `environment` says, None where it is of no form that is understood."""
    if environment is None:
        return {}
    if environment.kind == "map" and environment.pairs:
        return {key: value.text for key, (_, value) in environment.entries().items()}
    scalars = all(item.kind == "scalar" for item in environment.items)
    if environment.kind == "list" and environment.items and scalars:
        parts = [item.text.partition("=") for item in environment.items]
        return {name: value for name, _, value in parts}
    return None


def _reaches(service: Node, proxy: Proxy, text: Text) -> bool:
    """Tell whether a service shares a network with a proxy that stands in the same file."""
    services = _services(text)
    other = services.get(proxy.name) if services is not None else None
    if other is None or service.value("network_mode") or other.value("network_mode"):
        return False
    if service.value("extends") or other.value("extends"):
        return False
    return bool(_networks(service) & _networks(other))


def _networks(service: Node) -> set[str]:
    given = service.value("networks")
    if given is None or given.null:
        return {"default"}
    if given.kind == "map":
        return set(given.entries())
    return {item.text for item in given.items}


def _is_meant(grant: Grant, service: Node, goal: str, edits: Edits, content: str) -> bool:
    """Tell whether the file then says exactly what was meant, and nothing else has changed."""
    made = suggestion(grant.path, edits, content.split("\n"))
    if made is None:
        return False
    text = Text(applied(content, made))
    was, now, edited = _services(Text(content)), _services(text), _service(grant, text)
    own = {grant.subject.removeprefix("service ")}
    changed = {"volumes", "command" if goal.startswith("--") else "environment"}
    return (
        was is not None
        and now is not None
        and edited is not None
        and _digests(was, own) == _digests(now, own)
        and _digests(service, changed) == _digests(edited, changed)
        and _told(edited, goal) == _told(service, goal) | ({goal} if goal else set())
        and _is_one_less(_mounts(service), _mounts(edited))
        and (edited.value("volumes") is None or bool(_mounts(edited)))
    )


def _is_one_less(before: Counter[str], after: Counter[str]) -> bool:
    return (before - after).total() == 1 and not after - before


def _told(service: Node, goal: str) -> set[str]:
    """Return the arguments of a service, or its variables: where `goal` is to be found."""
    if goal.startswith("--"):
        command = service.value("command")
        return {item.text for item in command.items} if command is not None else set()
    variables = _variables(service.value("environment")) or {}
    return {f"{name}={value}" for name, value in variables.items()}


def _digests(node: Node, skip: set[str]) -> dict[str, str]:
    return {k: value.digest() for k, (_, value) in node.entries().items() if k not in skip}


def _mounts(service: Node) -> Counter[str]:
    volumes = service.value("volumes")
    return Counter(item.digest() for item in volumes.items) if volumes is not None else Counter()
