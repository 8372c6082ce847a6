"""Packer's Docker builders and the scripts of its provisioners, in either syntax.

Source: Packer documentation, "Docker" builder (volumes, run_command), "Shell" and "Shell (Local)".
"""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Places, Subject, joined
from bot.detect.grant import Grant
from bot.detect.handed import At, Handed
from bot.detect.hcl import Scope, blocks, labelled, read_hcl
from bot.detect.lines import Text
from bot.detect.mounts import repository
from bot.detect.positioned import Node
from bot.detect.shell import Script, docker_options
from bot.detect.yaml_tree import read_json

_SHELLS = frozenset({"shell", "shell-local"})


def template_grants(path: str, text: Text) -> Iterator[Grant]:
    """Yield what the builders and provisioners of one template hand over."""
    documents = read_json(text).documents if path.endswith(".json") else (read_hcl(text),)
    for root in documents:
        handed = Handed(path, Places(path, text), Scope({path: root}))
        for kind, name, body in labelled(root, "source"):
            if kind == "docker":
                yield from _builder(handed, f"source docker.{name}", body)
        for build in blocks(root, "build"):
            yield from _provisioners(handed, build)
        builders = root.get("builders")
        for number, builder in enumerate(builders.listed() if builders is not None else (), 1):
            if handed.text(builder.get("type")) == "docker":
                name = handed.text(builder.get("name")) or str(number)
                yield from _builder(handed, f"builder {name}", builder)
        listed = root.get("provisioners")
        for one in listed.listed() if listed is not None else ():
            kind = handed.text(one.get("type"))
            if kind in _SHELLS:
                yield from _shell(handed, kind, one)


def _builder(handed: Handed, name: str, body: Node) -> Iterator[Grant]:
    image = handed.text(body.get("image"))
    who = Subject(name, repository(image) if image else None, node=body, naming=frozenset({"name"}))
    volumes = body.get("volumes")
    for host, (key, value) in volumes.entries().items() if volumes is not None else ():
        at = At(key, handed.path)
        given = handed.scope.text(at)
        target = sockets.mount(given.text or host, handed.text(value))
        if target is not None:
            yield handed.grant(who, target, at, given)
    command = body.get("run_command")
    words = [
        (handed.scope.text(at).text, handed.places.here(at.node))
        for at in (handed.scope.flat(handed.at(command)) if command is not None else ())
        if at.node.kind == "scalar" and at.path == handed.path
    ]
    for reach in docker_options(words, who.image) if words else ():
        yield handed.places.grant(who, reach)


def _provisioners(handed: Handed, build: Node) -> Iterator[Grant]:
    for key in ("provisioner", "post-processor"):
        for holder in blocks(build, key):
            for kind, (_, listed) in holder.entries().items():
                for one in listed.listed() if kind in _SHELLS else ():
                    yield from _shell(handed, kind, one)


def _shell(handed: Handed, kind: str, node: Node) -> Iterator[Grant]:
    who = Subject(f"provisioner {kind}", node=node)
    env = handed.environment((node.get("environment_vars"), node.get("env")))
    for key in ("inline", "command"):
        value = node.get(key)
        nodes = handed.scope.flat(handed.at(value)) if value is not None else ()
        scripts = [handed.places.script(at.node) for at in nodes if at.path == handed.path]
        script = joined(scripts)
        if script.text:
            plain = Script(script.text.replace("$${", "${"), script.lines)
            yield from handed.places.ran(who, plain, env)
