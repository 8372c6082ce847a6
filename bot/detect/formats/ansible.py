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

from bot.detect.ci.places import Places
from bot.detect.engine import unread
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_NAME = re.compile(r"\.ya?ml\Z", re.IGNORECASE)
_LIST = re.compile(r"^-[ \t]+[\w\"'.]", re.MULTILINE)
_ANSIBLE = re.compile(
    r"^[ \t-]*(?:hosts|become|gather_facts|import_playbook|with_items|notify"
    r"|(?:ansible\.(?:builtin|legacy)\.|community\.\w+\.|containers\.podman\.|kubernetes\.core\.)?"
    r"(?:docker_\w+|podman_\w+|shell|command|raw|k8s|copy|file|user|lineinfile|blockinfile|docker"
    r"|set_fact|cron|(?:include|import)_role))"
    r"[ \t]*:",
    re.MULTILINE,
)
_SETTING = re.compile(
    r"^[ \t-]*\w*(?:volumes?|mounts?|binds?)[ \t]*:"
    r"|[ \"'](?:docker|podman|nerdctl) +(?:container +)?(?:run|create) |^docker\w*[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_OBJECT = Keyed(r"^(?:apiVersion|services)[ \t]*:", "apiVersion", "services")
_TELLING = re.compile(
    r"docker|podman|containerd|crio|nerdctl|\.sock|_HOST|:2375|hostPath", re.IGNORECASE
)
_FOLDER = re.compile(r"(?:^|/)(?:defaults|vars|group_vars|host_vars)/")
_ELSEWHERE = re.compile(r"(?:^|/)(?:\.github|\.gitea|\.forgejo|\.circleci|\.buildkite)/")


def _matches(path: str, text: str) -> bool:
    if not _NAME.search(plain_name(path)) or _ELSEWHERE.search(path):
        return False
    if _OBJECT.search(text):
        return False
    if _FOLDER.search(path) and _SETTING.search(text):
        return True
    return bool(_LIST.search(text) and _ANSIBLE.search(text))


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
    found: list[Grant] = []
    if documents:
        tasks = Tasks(path, places, variables(path, documents, source))
        found = [grant for document in documents for grant in tasks.grants(document)]
    elif _FOLDER.search(path):
        for document in tree.documents:
            found += setting_grants(path, places, document)
    else:
        return
    yield from found
    if tree.problem is not None:
        why = f"line {tree.problem.line}: {tree.problem.message}"
        unknown = unread(path, text, why, found)
        if unknown is not None:
            yield unknown


def _references(path: str, text: str) -> Iterable[str]:
    from bot.detect.ansible.variables import files  # noqa: PLC0415 - start-up

    return files(path) if "{{" in text else ()


FORMAT = Format("ansible", _matches, _grants, _references)
