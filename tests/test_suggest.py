"""Every suggestion for every known image, applied as GitHub does: the grant is gone."""

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from time import process_time
from typing import Any

import pytest
import yaml

from bot.detect.source import DictSource
from bot.publish.comment import finding_comment, inline, resolved_comment
from bot.review.compare import compare
from bot.review.hunks import whole_file
from bot.review.model import Change, Finding, Hunk, Review, Suggestion
from bot.review.suggest import suggest
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.kinds import HELD
from tests.pulls import team

__all__ = ["github"]

PATH = "compose.yaml"
SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
TOOLS: list[dict[str, Any]] = yaml.safe_load(
    files("bot.review").joinpath("tools.yaml").read_text("utf-8")
)
# Of an image with several entries the first one counts.
FIRST: dict[str, str] = {}
for _tool in TOOLS:
    for _image in _tool["images"]:
        FIRST.setdefault(
            _image.removeprefix("docker.io/library/").removeprefix("docker.io/"), _tool["id"]
        )
IMAGES = [
    (tool, image)
    for tool in TOOLS
    for image in tool["images"]
    if FIRST[image.removeprefix("docker.io/library/").removeprefix("docker.io/")] == tool["id"]
]
OFFERED = [tool for tool in TOOLS if tool.get("needs_nothing") or tool.get("endpoint")]
PROXY = """\
  socket-proxy:
    image: tecnativa/docker-socket-proxy:v0.4.2
    environment:
{open}    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
"""
# The service's own lines; they stand below "  app:" and its image.
FORMS = {
    "only volume": f"    volumes:\n      - {SOCKET}\n",
    "read-only": f"    volumes:\n      - {SOCKET}:ro\n    restart: always\n",
    "quoted": f'    volumes:\n      - "{SOCKET}"\n',
    "first of two": f"    volumes:\n      - {SOCKET}\n      - ./data:/data\n",
    "last of two": f"    volumes:\n      - ./data:/data\n      - {SOCKET}\n",
    "comments": (
        f"    volumes: # what it keeps\n      # the daemon\n      - {SOCKET} # for `ps` ```\n"
        "    # and\n    restart: always\n"
    ),
    "not indented": f"    volumes:\n    - {SOCKET}\n    - ./data:/data\n",
    "one line": f"    volumes: [{SOCKET}]\n    restart: always\n",
    "one line, one of three": f"    volumes: [./a:/a, '{SOCKET}', ./b:/b]  # three\n",
    "one line, last": f"    volumes: [./a:/a, {SOCKET}]\n",
    "long": (
        "    volumes:\n      - type: bind\n        source: /var/run/docker.sock\n"
        "        target: /var/run/docker.sock\n        read_only: true\n"
    ),
    "long, one of two": (
        "    volumes:\n      - ./data:/data\n      - source: /run/docker.sock\n        type: bind\n"
        "        target: /var/run/docker.sock\n      - ./more:/more\n"
    ),
    "environment as mapping": (
        f"    environment:\n      TZ: UTC\n      A: 'b'\n    volumes:\n      - {SOCKET}\n"
    ),
    "environment as list": (
        f"    environment:\n      - TZ=UTC\n      - A=\n    volumes:\n      - {SOCKET}\n"
    ),
    "environment below": (
        f"    volumes:\n      - {SOCKET}\n    restart: always\n    environment:\n      TZ: UTC\n"
    ),
    "anchor": f"    volumes: &volumes\n      - {SOCKET}\n      - ./data:/data\n",
    "command": (
        "    command:\n      - --api\n      - --providers.docker=true # on\n      - --ping\n"
        f"    volumes:\n      - {SOCKET}\n"
    ),
    "command below, quoted": (
        f"    volumes:\n      - {SOCKET}\n    command:\n    - '--providers.docker'\n"
    ),
    "merged": f"    <<: *common\n    volumes:\n      - {SOCKET}\n",
}


def stack(tool: dict[str, Any], form: str, image: str = "") -> str:
    """Return a file with the tool's service, a proxy that opens what it needs, and more."""
    opened = (
        "".join(f"      {section}: 1\n" for section in tool["api_sections"]) or "      PING: 1\n"
    )
    image = image or tool["images"][0]
    return (
        "x-common: &common\n  restart: always\nservices:\n"
        f"  app:\n    image: {image}\n{form}"
        "  other:\n    image: nginx:1\n    volumes:\n      - ./site:/site:ro\n"
        + PROXY.format(open=opened)
    )


def changed(text: str, path: str = PATH, hunks: tuple[Hunk, ...] | None = None) -> Review:
    """Return the review of a pull request that adds the file."""
    hunks = hunks or whole_file(len(text.splitlines()))
    return compare(DictSource({}), DictSource({path: text}), [Change(None, path, hunks)])


def of_app(review: Review, subject: str = "service app") -> Finding:
    [found] = [one for one in review.findings if one.grant.subject == subject]
    return found


def block(body: str) -> list[str]:
    """Return the lines that GitHub puts in for a comment: what its suggestion block holds."""
    lines = iter(body.split("\n"))
    fence = next(line for line in lines if line.endswith("suggestion") and line.startswith("```"))
    return list(_until(lines, fence.removesuffix("suggestion")))


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    for line in lines:
        if line == fence:
            return
        yield line


def accepted(text: str, finding: Finding, *, end: str) -> str:
    """Replace the lines of the comment by what its block holds, as the button does."""
    [comment] = inline(finding, HELD)
    assert comment.line is not None
    first = comment.first or comment.line
    lines = text.splitlines(keepends=True)
    new = [line + end for line in block(comment.body)]
    return "".join([*lines[: first - 1], *new, *lines[comment.line :]])


def check(text: str, finding: Finding, *, end: str = "\n") -> str:
    """Apply a finding's suggestion and hold that only this grant is gone."""
    after = accepted(text, finding, end=end)
    loaded = yaml.safe_load(after)
    assert set(loaded["services"]) == {"app", "other", "socket-proxy"}
    assert loaded["services"]["app"].get("volumes") != []
    before, now = changed(text), changed(after)
    left = Counter(one for found in before.findings for one in found.fingerprints)
    left.subtract(finding.fingerprints)
    assert Counter(one for found in now.findings for one in found.fingerprints) == +left
    assert now.unknowns == before.unknowns
    return after


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tool", OFFERED, ids=lambda tool: str(tool["id"]))
def test_the_suggestion_for_each_form_of_each_tool_is_right(
    tool: dict[str, Any], form: str
) -> None:
    text = stack(tool, FORMS[form])
    found = of_app(changed(text))
    if tool["id"] == "traefik" and "command" not in form:
        assert found.suggestion is None  # it may be told by a file, which would win
        return
    assert found.suggestion is not None
    after = yaml.safe_load(check(text, found))["services"]
    before = yaml.safe_load(text)["services"]
    assert after["other"] == before["other"]
    assert after["socket-proxy"] == before["socket-proxy"]
    if "endpoint" in tool:
        assert tool["endpoint"].replace("PROXY", "socket-proxy:2375") in said(after["app"])
    else:
        assert said(after["app"]) == said(before["app"])
    mounts = before["app"]["volumes"]
    assert len(after["app"].get("volumes", [])) == len(mounts) - 1


def said(service: dict[str, Any]) -> list[str]:
    given = service.get("environment") or service.get("command") or []
    return given if isinstance(given, list) else [f"{key}={value}" for key, value in given.items()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_tabs_and_trailing_spaces_stay(form: str, end: str) -> None:
    text = stack(DOZZLE, FORMS[form].replace("always", "always  ")).replace("\n", "\r\n")
    found = of_app(changed(text))
    assert found.suggestion is not None
    after = check(text, found, end=end)
    kept = set(text.split("\r\n")) - {""}
    gone = kept - set(after.replace("\r\n", "\n").split("\n"))
    assert len(gone) <= 5
    assert not any(line.endswith("  ") for line in gone)


@pytest.mark.parametrize(
    ("tool", "image"), IMAGES, ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_known_image_gets_one_where_it_helps_and_none_else(
    tool: dict[str, Any], image: str
) -> None:
    text = stack(tool, FORMS["command"], image)
    found = of_app(changed(text))
    assert (found.suggestion is not None) is (tool in OFFERED)
    if found.suggestion is not None:
        check(text, found)


DOZZLE = next(tool for tool in TOOLS if tool["id"] == "dozzle")
DASHY = next(tool for tool in TOOLS if tool["id"] == "dashy")
TRAEFIK = next(tool for tool in TOOLS if tool["id"] == "traefik")
LEADS = "    environment:\n      DOCKER_HOST: unix:///var/run/docker.sock\n"
PLAIN = stack(DOZZLE, FORMS["only volume"])


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("      INFO: 1\n", ""),  # too little: the tool would break
        PLAIN.replace("      INFO: 1\n", "      INFO: 1\n      POST: 1\n"),
        PLAIN.replace("      INFO: 1\n", "      INFO: ${INFO}\n"),
        PLAIN.replace("tecnativa/docker-", "lscr.io/linuxserver/"),  # it keeps the logs back
        PLAIN + "    ports: ['2375:2375']\n",
        PLAIN + "    networks: [elsewhere]\nnetworks: {elsewhere: {}}\n",
        PLAIN + "    network_mode: none\n",
        PLAIN + "    extends: {service: other}\n",
        PLAIN.replace("  other:", "    environment:\n  other:"),
        PLAIN.replace("  other:", "    environment: &e\n    - ? A\n  other:"),
        PLAIN.replace(f"\n      - {SOCKET}\n", f" [{SOCKET},\n      ./a:/a]\n", 1),
        PLAIN.replace(f"\n      - {SOCKET}\n", f"\n      [{SOCKET}]\n", 1),
        # The variable leads to the same socket: with the mount gone it would be the finding.
        stack(DASHY, f"{LEADS}    volumes:\n      - {SOCKET}\n"),
        PLAIN.replace("volumes:\n", "volumes: !!seq\n", 1),
        PLAIN.replace("    volumes:", "    <<:\n      volumes:", 1),
        stack(TRAEFIK, FORMS["command"]).replace("--providers.docker=true", "--providers.file=x"),
        stack(TRAEFIK, FORMS["command"]).replace("  app:", "  app:\n    entrypoint: [x]"),
        stack(TRAEFIK, FORMS["command"]).replace("docker=true", "docker.endpoint=unix:///x.sock"),
        PLAIN.replace("  other:", "    env_file: app.env\n  other:"),
        PLAIN.replace("  other:", "    environment: {A: b}\n  other:"),
        PLAIN.replace("  other:", "    environment: [DOZZLE_REMOTE_HOST=x]\n  other:"),
        stack(DOZZLE, FORMS["environment as list"].replace("TZ=", "DOZZLE_REMOTE_HOST=")),
        PLAIN.replace("tecnativa/docker-socket-proxy", "acme/docker-socket-proxy"),
        PLAIN.replace(SOCKET, "/:/host"),
        PLAIN.replace(SOCKET, "/var/run:/var/run"),
        stack(DOZZLE, FORMS["environment as list"].replace("A=", "A=\u202e")),
        "\ufeff" + PLAIN,
        PLAIN + "---\nservices: {}\n",
        PLAIN + "# " + "x" * 200_000,
        stack(DOZZLE, FORMS["anchor"]).replace("\n      - ./site:/site:ro", " *volumes"),
        PLAIN.replace("  other:", "\n" * 40 + "    environment:\n      A: b\n  other:"),
    ],
)  # fmt: skip
def test_none_is_offered_where_it_is_not_certain(text: str) -> None:
    review = changed(text)
    assert "service app" in {grant.subject for one in review.findings for grant in one.grants}
    assert all(one.suggestion is None for one in review.findings)


def test_a_proxy_on_a_network_of_its_own_with_its_client_serves_it() -> None:
    shared = "    networks: [socket]\n"
    text = PLAIN.replace("  other:", f"{shared}  other:") + f"{shared}networks: {{socket: {{}}}}\n"
    assert of_app(changed(text)).suggestion is not None


def test_networks_may_be_a_mapping_and_an_argument_may_be_there_already() -> None:
    shared = "    networks: {socket: {aliases: [a]}}\n"
    text = PLAIN.replace("  other:", f"{shared}  other:") + f"{shared}networks: {{socket: {{}}}}\n"
    assert of_app(changed(text)).suggestion is not None
    given = "docker.endpoint=tcp://socket-proxy:2375"
    text = stack(TRAEFIK, FORMS["command"]).replace("docker=true", given)
    found = of_app(changed(text)).suggestion
    assert found is not None
    assert found.lines == ()


@pytest.mark.parametrize("data", [PLAIN.replace("nginx", "ng\xefnx").encode("latin-1"), b""])
def test_bytes_that_are_no_utf_8_are_left_alone(data: bytes) -> None:
    change = Change(None, PATH, whole_file(30))
    found = of_app(changed(PLAIN))
    assert suggest(found, DictSource({PATH: data}), change) is None


def test_nothing_is_offered_where_the_diff_shows_no_lines() -> None:
    review = compare(DictSource({}), DictSource({PATH: PLAIN}), [Change(None, PATH, None)])
    assert review.findings
    assert all(one.suggestion is None for one in review.findings)


def test_a_last_line_without_an_end_stays() -> None:
    text = f"services:\n  app:\n    image: lissy93/dashy\n    volumes:\n      - {SOCKET}"
    assert of_app(changed(text)).suggestion is None
    assert of_app(changed(text + "\n")).suggestion is not None


def test_a_second_way_to_the_socket_is_not_taken_for_none() -> None:
    text = f"docker run -v {SOCKET} -v /:/host lissy93/dashy\n"
    assert all(one.suggestion is None for one in changed(text, "a.sh").findings)


def test_a_proxy_that_opens_what_it_keeps_back_by_default_serves() -> None:
    text = PLAIN.replace("tecnativa/docker-", "lscr.io/linuxserver/")
    text = text.replace("      INFO: 1\n", "      INFO: 1\n      ALLOW_LOGS: 1\n")
    assert of_app(changed(text)).suggestion is not None


def test_hostile_files_cost_little() -> None:
    services = "".join(
        f"  s{n}:\n    image: amir20/dozzle\n    environment:\n      A: b\n"
        f"    volumes:\n      - {SOCKET}\n"
        for n in range(300)
    )
    text = PLAIN.replace("  other:", services + "  other:")
    before = process_time()
    review = changed(text)
    alone = process_time() - before
    assert sum(one.suggestion is not None for one in review.findings) == 10
    assert alone < 15


def test_an_endpoint_that_is_set_already_leaves_only_the_mount_to_go() -> None:
    given = "    environment:\n      DOZZLE_REMOTE_HOST: tcp://socket-proxy:2375\n"
    text = PLAIN.replace("    volumes:\n", given + "    volumes:\n", 1)
    found = of_app(changed(text)).suggestion
    assert found is not None
    assert (found.first, found.last, found.lines) == (8, 9, ())


def test_the_lines_of_an_edit_are_inside_one_hunk() -> None:
    text = stack(DOZZLE, FORMS["environment as list"])
    line = text.split("\n").index(f"      - {SOCKET}") + 1
    near = changed(text, hunks=(Hunk(line, 1, frozenset({line})),))
    assert of_app(near).suggestion is None
    whole = changed(text, hunks=(Hunk(line - 4, 6, frozenset({line})),))
    assert of_app(whole).suggestion is not None
    split = (Hunk(line - 4, 2, frozenset()), Hunk(line - 1, 3, frozenset({line})))
    assert of_app(changed(text, hunks=split)).suggestion is None


RUN = f"docker run -d \\\n  -p 80:80 \\\n  -v {SOCKET} \\\n  -v data:/data lissy93/dashy:3\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (RUN, RUN.replace(f"  -v {SOCKET} \\\n", "")),
        (f"docker run -v {SOCKET}:ro -p 8:8 lissy93/dashy\n", "docker run -p 8:8 lissy93/dashy\n"),
        (f"docker run --volume='{SOCKET}' n8nio/n8n\n", "docker run n8nio/n8n\n"),
        (f"docker run -v {SOCKET} traefik\n", None),
        (f"docker run -v {SOCKET} -v {SOCKET}2 n8nio/n8n\n", None),
        ("docker run -v $SOCK:/var/run/docker.sock n8nio/n8n\n", None),
    ],
)  # fmt: skip
def test_a_flag_of_docker_run_goes_where_the_tool_works_without(
    text: str, after: str | None
) -> None:
    review = changed(text, "start.sh")
    made = [one for one in review.findings if one.suggestion is not None]
    assert (made != []) is (after is not None)
    for one in made:
        assert accepted(text, one, end="\n") == after
        assert changed(after or "", "start.sh").findings == ()


def offered(text: str = PLAIN) -> tuple[Finding, Suggestion]:
    found = of_app(changed(text))
    assert found.suggestion is not None
    return found, found.suggestion


def test_the_fence_is_longer_than_any_run_of_backticks_in_the_text() -> None:
    text = stack(DOZZLE, FORMS["environment as list"].replace("A=", "A=````` ```suggestion"))
    found, made = offered(text)
    body = finding_comment(found, HELD)
    assert "``````suggestion\n" in body
    assert block(body) == list(made.lines)


def test_a_standing_comment_keeps_its_suggestion_and_gets_no_other() -> None:
    found, _ = offered()
    body = finding_comment(found, HELD)
    assert finding_comment(found, HELD, body) == body
    moved, _ = offered("# one more line\n" + PLAIN)
    assert finding_comment(moved, HELD, body) == body
    other, _ = offered(PLAIN.replace(SOCKET, f"{SOCKET}:ro"))
    without = finding_comment(other, HELD, body)
    assert "suggestion" not in without
    assert finding_comment(other, HELD, without) == without


def test_what_is_resolved_or_put_on_the_file_offers_nothing() -> None:
    found, _ = offered()
    [comment] = inline(found, HELD)
    assert comment.on_file == comment.body.replace(
        comment.body[comment.body.index("**In one edit") : comment.body.index("**Next:**")], ""
    )
    assert "suggestion" not in resolved_comment(comment.body)
    assert "suggestion" not in resolved_comment(comment.body.replace("\n", "\r\n"))


def test_a_suggestion_for_several_lines_stands_on_them_until_it_no_longer_holds(
    github: SmallGitHub,
) -> None:
    acme = team(github, {PATH: "services: {}\n"})
    text = stack(DOZZLE, FORMS["environment as list"])
    pull = acme.open({PATH: text})
    acme.done(pull)
    found, made = offered(text)
    told = {one.start_line: one for one in (thread.anchor for thread in pull.threads)}
    anchor = told[made.first]
    assert (anchor.line, anchor.side, anchor.start_side) == (made.last, "RIGHT", "RIGHT")
    [thread] = [one for one in pull.threads if one.anchor is anchor]
    assert block(thread.comments[0].body) == list(made.lines)
    assert acme.done(pull).writes == ()
    pull.push({PATH: "# a line above\n" + text}, by=acme.dev)
    acme.done(pull)
    assert block(thread.comments[0].body) == list(made.lines)
    pull.push({PATH: text.replace("      INFO: 1\n", "")}, by=acme.dev)
    acme.done(pull)
    assert "suggestion" not in thread.comments[0].body
    assert acme.done(pull).writes == ()
    pull.push({PATH: text}, by=acme.dev)
    assert [type(one).__name__ for one in acme.done(pull).writes] == ["PutCheck"]
    pull.push({PATH: accepted(text, found, end="\n")}, by=acme.dev)
    acme.done(pull)
    assert thread.comments[0].body.startswith("**Resolved.**")


def test_a_suggestion_whose_lines_are_refused_is_a_comment_on_the_file_without_it(
    github: SmallGitHub,
) -> None:
    acme = team(github, {PATH: "services: {}\n"})
    pull = acme.open({PATH: PLAIN})
    github.faults.add("POST", "*/reviews", status=422, message="Line could not be resolved")
    github.faults.add("POST", "*/pulls/1/comments", status=422, times=1, message="start_line")
    acme.done(pull)
    on_file = [one for one in pull.threads if one.anchor.subject_type == "file"]
    assert len(on_file) == 1
    assert all("suggestion" not in one.comments[0].body for one in on_file)
    assert acme.done(pull).writes == ()
