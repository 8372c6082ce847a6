"""Ansible: tasks of roles, handlers and playbooks.

Files: YAML whose documents are lists of plays or tasks; values come from the role's defaults and
vars, which are read by themselves too. Source: Ansible and its collections, see
`bot/detect/ansible/`.

    - community.docker.docker_container:
        name: agent
        volumes: ["{{ docker_socket }}:/var/run/docker.sock"]
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_NAME = pattern(r"\.ya?ml\Z", re.IGNORECASE)
_LIST = pattern(r"^-[ \t]+[\w\"'.]", re.MULTILINE)
_ANSIBLE = pattern(
    r"^[ \t-]*(?:hosts|become|gather_facts|import_playbook|with_items|notify"
    r"|(?:ansible\.(?:builtin|legacy)\.|community\.\w+\.|containers\.podman\.|kubernetes\.core\.)?"
    r"(?:docker_\w+|podman_\w+|shell|command|raw|k8s|copy|file|user|lineinfile|blockinfile|docker"
    r"|set_fact|cron|(?:include|import)_role))"
    r"[ \t]*:",
    re.MULTILINE,
)
_SETTING = pattern(
    r"^[ \t-]*\w*(?:volumes?|mounts?|binds?)[ \t]*:"
    r"|[ \"'](?:docker|podman|nerdctl) +(?:container +)?(?:run|create) |^docker\w*[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_OBJECT = Keyed(r"^(?:apiVersion|services)[ \t]*:", "apiVersion", "services")
_TELLING = pattern(
    r"docker|podman|containerd|crio|nerdctl|\.sock|_HOST|:2375|hostPath", re.IGNORECASE
)
_FOLDER = pattern(r"(?:^|/)(?:defaults|vars|group_vars|host_vars)/")
_ELSEWHERE = pattern(r"(?:^|/)(?:\.github|\.gitea|\.forgejo|\.circleci|\.buildkite)/")


def _matches(path: str, text: str) -> bool:
    if not _NAME.search(plain_name(path)) or _ELSEWHERE.search(path):
        return False
    listed = "\n-" in text or text.startswith("-")
    if not (listed or _FOLDER.search(path)) or _OBJECT.search(text):
        return False
    if _FOLDER.search(path) and _SETTING.search(text):
        return True
    return bool(listed and _LIST.search(text) and _ANSIBLE.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.ansible.settings import setting_grants  # noqa: PLC0415 - start-up
    from bot.detect.ansible.tasks import Tasks  # noqa: PLC0415
    from bot.detect.ansible.variables import variables  # noqa: PLC0415

    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    text = Text(content)
    tree = read_yaml(text)
    places = Places(path, text)
    documents = tuple(document for document in tree.documents if document.kind == "list")
    if documents:
        tasks = Tasks(path, places, variables(path, documents, source))
        yield from told(path, tree, chain.from_iterable(map(tasks.grants, documents)))
    elif _FOLDER.search(path):
        grants = (setting_grants(path, places, document) for document in tree.documents)
        yield from told(path, tree, chain.from_iterable(grants))


def _references(path: str, text: str) -> Iterable[str]:
    from bot.detect.ansible.variables import files  # noqa: PLC0415 - start-up

    return files(path) if "{{" in text else ()


FORMAT = Format("ansible", _matches, _grants, _references, endings=(".yaml", ".yml"))
