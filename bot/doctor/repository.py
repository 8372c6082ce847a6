"""One repository: whether somebody can justify, and whether anything waits for the check."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.doctor.links import Links
from bot.doctor.protection import Branch, Required, branch
from bot.doctor.report import REACH, Line, fail, lost, ok, unseen, warn
from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.gate.policy import CHECK, STRICT, Policy, Problem, read_policy

_POLICY = ".github/sockgate.yml"


def repository(client: Client, known: Mapping[str, Any], app: int, links: Links) -> Iterator[Line]:
    """Look at a repository as GitHub listed it."""
    name = known["full_name"]
    if known.get("archived"):
        yield ok(name, "archived: nothing is merged there")
        return
    policy = STRICT
    for line in _guarded(f"{name}: policy", _policy(client, known, links)):
        if isinstance(line, Policy):
            policy = line
        else:
            yield line
    for line in _guarded(f"{name}: label", _label(client, name, policy.label, links)):
        if isinstance(line, Line):
            yield line
    for line in _guarded(f"{name}: required check", _required(client, known, app, links)):
        if isinstance(line, Line):
            yield line


def _guarded(about: str, lines: Iterator[Line | Policy]) -> Iterator[Line | Policy]:
    try:
        yield from lines
    except ForgeError as error:
        if error.status in {403, 404}:
            yield unseen(
                about,
                f"cannot be seen with these permissions ({error.reason})",
                "accept the App's permissions where it is installed, and look there yourself",
            )
        else:
            yield lost(about, f"could not be asked: {error.reason}", REACH)


def _policy(client: Client, known: Mapping[str, Any], links: Links) -> Iterator[Line | Policy]:
    """Read the policy as an evaluation would: the repository's, else the owner's."""
    name, owner = known["full_name"], known["owner"]["login"]
    about = f"{name}: policy"
    places = ((name, _POLICY), (f"{owner}/.github", "sockgate.yml"))
    for place, path in places:
        text = _file(client, place, path)
        if text is None:
            continue
        found = read_policy(text)
        if isinstance(found, Policy):
            yield ok(about, f"{path} of {place}")
            yield found
        else:
            yield _broken(about, place, path, found, links)
        return
    yield ok(about, "none: the strict defaults apply")


def _broken(about: str, place: str, path: str, problems: tuple[Problem, ...], links: Links) -> Line:
    first = problems[0]
    says = f"{path} of {place}, line {first.line}: {first.key or 'the text'}: {first.message}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    page = links.repository(place, f"blob/HEAD/{path}#L{first.line}")
    return fail(about, f"{says}{more}; the strict defaults apply instead", page)


def _file(client: Client, place: str, path: str) -> str | None:
    try:
        answer = client.get(f"/repos/{place}/contents/{quote(path)}")
        return base64.b64decode(answer["content"]).decode()
    except ForgeError as error:
        if error.gone or error.status == 403:
            return None
        raise
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
        return "\0"  # no text: no policy, and no file that may be passed over


def _label(client: Client, name: str, label: str, links: Links) -> Iterator[Line]:
    about = f"{name}: label"
    try:
        client.get(f"/repos/{name}/labels/{quote(label, safe='')}")
    except ForgeError as error:
        if error.status != 404:
            raise
        yield fail(
            about,
            f"there is no label {label}: nobody can justify anything",
            f"{links.repository(name, 'labels')}, New label",
        )
    else:
        yield ok(about, label)


def _required(client: Client, known: Mapping[str, Any], app: int, links: Links) -> Iterator[Line]:
    name = known["full_name"]
    owner, _, repo = name.partition("/")
    found = branch(client, owner, repo, known["default_branch"], CHECK)
    about = f"{name}: required check"
    if not found.required and not found.offered:
        yield fail(
            about,
            "the plan of its owner offers neither rulesets nor branch protection for this "
            "repository: a red check is shown, and stops nobody",
            "upgrade the plan, or make the repository public",
        )
        return
    if not found.required:
        yield fail(
            about,
            f"{CHECK} is not required on {found.name}: it stops nobody",
            f"{links.repository(name, 'settings/rules/new?target=branch')}: require the status "
            f"check {CHECK}, with the App as its source",
        )
        return
    if found.held_by(app):
        yield ok(about, f"{CHECK} on {found.name}, from this App only, by {_where(found, app)}")
        yield from _bypass(name, found, app, links)
    else:
        source = next((one.source for one in found.required if one.source), None)
        says = f"of the App {source}" if source else "of any source: whoever can write can post it"
        yield fail(
            about,
            f"{CHECK} is required on {found.name}, but {says}",
            f"{_page(name, found.required[0], links)}: choose this App as the source of {CHECK}",
        )
    if found.merge_queue:
        yield ok(f"{name}: merge queue", "groups are checked too")


def _bypass(name: str, found: Branch, app: int, links: Links) -> Iterator[Line]:
    """Say who may pass by. One place that holds for everybody is enough."""
    holding = [one for one in found.required if one.source == app]
    if any(one.admins for one in holding):
        return
    about = f"{name}: bypass"
    open_to_admins = [one for one in holding if one.admins is False]
    page = _page(name, holding[0], links)
    if len(open_to_admins) == len(holding):
        yield warn(
            about,
            "administrators may merge past the check",
            f"{page}: tick “Do not allow bypassing the above settings”",
        )
    else:
        yield unseen(
            about,
            "who may bypass the ruleset cannot be seen with these permissions",
            f"{page}: the bypass list should be empty",
        )


def _where(found: Branch, app: int) -> str:
    return " and ".join(one.where for one in found.required if one.source == app)


def _page(name: str, one: Required, links: Links) -> str:
    page = "settings/branches" if one.where == "branch protection" else "settings/rules"
    return links.repository(name, page)
