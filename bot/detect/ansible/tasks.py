"""Plays and tasks -> what their modules and scripts hand over.

Source: Ansible, "Playbook Keywords" (block, rescue, always, environment, loop); free-form modules.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.detect.ansible import modules
from bot.detect.ansible.jinja import Jinja
from bot.detect.ansible.settings import fact_grants, role_grants
from bot.detect.ci.places import Environment, Place, Places, Subject, substituted
from bot.detect.grant import Grant
from bot.detect.handed import At, Handed
from bot.detect.positioned import Node
from bot.detect.shell import Script

_PLAY = frozenset({"hosts", "tasks", "pre_tasks", "post_tasks", "handlers", "roles"})
_TASK_LISTS = ("pre_tasks", "tasks", "post_tasks", "handlers")
_BLOCKS = ("block", "rescue", "always")
_LOOPS = ("loop", "with_items", "with_list")
_ACTIONS = frozenset({"action", "local_action"})
_SHELLS = frozenset({"shell", "command", "raw"})
_COMMANDS = {"cron": "job", "at": "command", "expect": "command"}  # where a module has one
_ROLES = frozenset({"include_role", "import_role"})
_INNER = re.compile(r"\{\{[^{}\n]*\}\}")
_NAMING = frozenset({"name"})
_DEEPEST = 40
_MOST_ITEMS = 32


class Tasks:
    """Reads the tasks of one file."""

    def __init__(self, path: str, places: Places, variables: Mapping[str, At]) -> None:
        self._path = path
        self._places = places
        self._variables = dict(variables)

    def grants(self, document: Node) -> Iterator[Grant]:
        """Yield what one document hands over: a list of plays or of tasks."""
        for item in document.listed():
            if item.kind != "map":
                continue
            if any(key.text in _PLAY for key, _ in item.pairs):
                yield from self._play(item)
            else:
                yield from self._task(item, {}, 0)

    def _play(self, play: Node) -> Iterator[Grant]:
        name = play.get("name") or play.get("hosts")
        who = self._subject("play", name.text if name is not None else "", play)
        handed = self._handed(self._variables)
        env = handed.environment((play.get("environment"),))
        yield from handed.addresses(who, env)
        roles = play.get("roles")
        for role in roles.listed() if roles is not None else ():
            called = role.get("role") or role.get("name")
            if called is not None:
                yield from role_grants(handed, self._subject("role", called.text, role), role)
        for key in _TASK_LISTS:
            tasks = play.get(key)
            for task in tasks.listed() if tasks is not None else ():
                yield from self._task(task, env, 0)

    def _task(self, task: Node, around: Environment, depth: int) -> Iterator[Grant]:
        if task.kind != "map" or depth > _DEEPEST:
            return
        handed = self._handed(self._variables)
        env = handed.environment((task.get("environment"),))
        who = self._subject("task", _name(task), task)
        yield from handed.addresses(who, env)
        for part in _BLOCKS:
            inner = task.get(part)
            for one in inner.listed() if inner is not None else ():
                yield from self._task(one, around | env, depth + 1)
        for item in self._items(task):
            each = self._handed(self._variables | item) if item else handed
            yield from self._modules(each, who, task, around | env)

    def _modules(
        self, handed: Handed, who: Subject, task: Node, env: Environment
    ) -> Iterator[Grant]:
        for key, written in task.pairs:
            named = key.text.rsplit(".", 1)[-1]
            module, value = _action(written) if named in _ACTIONS else (named, written)
            if module in _SHELLS:
                yield from self._shell(handed, who, task, value, env)
            elif module in _COMMANDS:
                command = value.get(_COMMANDS[module])
                if command is not None and command.kind == "scalar":
                    yield from self._places.ran(who, self._script(handed, command), env)
            elif module in _ROLES:
                variables = task.get("vars")
                if variables is not None:
                    yield from role_grants(handed, who, variables)
            elif module == "set_fact":
                yield from fact_grants(handed, who, value)
            elif module in modules.HANDLERS:
                given = value if value.kind == "map" else modules.free_form(value)
                yield from modules.HANDLERS[module](handed, who, given)

    def _shell(
        self, handed: Handed, who: Subject, task: Node, value: Node, env: Environment
    ) -> Iterator[Grant]:
        words = value.get("argv") or task.get("args", "argv")
        if words is not None:
            yield from handed.command(who, (words,), env)
            return
        command = value if value.kind == "scalar" else value.get("cmd") or value.get("_raw_params")
        if command is not None and command.kind == "scalar":
            yield from self._places.ran(who, self._script(handed, command), env)

    def _script(self, handed: Handed, node: Node) -> Script:
        """Return a command with the variables put in that are known."""
        script = self._places.script(node)
        if "{{" not in node.text:
            return script

        def known(text: str) -> Iterator[tuple[int, int, Script]]:
            for found in _INNER.finditer(text):
                like = Node("scalar", found[0], (), (), node.start, node.end, node.document)
                given = handed.scope.text(At(like, self._path))
                if given.text != found[0]:
                    first = given.before[0] if given.before else None
                    place = Place(first.path, first.line) if first else None
                    lines = (self._places.put(place),) if place else ()
                    yield found.start(), found.end(), Script(given.text, lines)

        return substituted(script, known, self._places)

    def _handed(self, variables: Mapping[str, At]) -> Handed:
        return Handed(self._path, self._places, Jinja(variables))

    def _items(self, task: Node) -> list[dict[str, At]]:
        """Return what `item` may be in a loop over what is written: those that name a daemon."""
        for key in _LOOPS:
            items = task.get(key)
            if items is not None:
                flat = Jinja(self._variables).flat(At(items, self._path))
                found = [at for at in flat if at.node.kind in {"scalar", "map"}]
                telling = [at for at in found if modules.tells(at.node)][:_MOST_ITEMS]
                return [{"item": replace(at, after=())} for at in telling or found[:1]]
        return [{}]

    def _subject(self, kind: str, name: str, node: Node) -> Subject:
        return Subject(f'{kind} "{name}"' if name else kind, node=node, naming=_NAMING)


def _action(value: Node) -> tuple[str, Node]:
    """Return the module that `action: shell docker ps` or `action: {module: …}` runs."""
    if value.kind != "scalar":
        named = value.get("module")
        return (named.text.rsplit(".", 1)[-1] if named is not None else ""), value
    found = re.match(r"\s*(?P<name>[\w.]+)\s*", value.text)
    if found is None or value.style in {"|", ">"}:
        return "", value
    at = min(value.start + found.end() + bool(value.style), value.end)
    rest = value.text[found.end() :]
    own = Node("scalar", rest, (), (), at, value.end, value.document)
    return found["name"].rsplit(".", 1)[-1], own


def _name(task: Node) -> str:
    name = task.get("name")
    if name is not None and name.kind == "scalar" and name.text:
        return name.text
    for key, _ in task.pairs:
        module = key.text.rsplit(".", 1)[-1]
        if module in _SHELLS | _ROLES or module in modules.HANDLERS:
            return module
    return ""
