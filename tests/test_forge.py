"""The client: one error for all that can go wrong, GETs repeated and writes not, one pace."""

import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import github as pygithub
import pytest
import requests
import urllib3
from github import BadAttributeException, GithubException
from graphql import parse

import bot.forge.client
import bot.forge.queries
from bot.detect.source import SourceError
from bot.forge import read
from bot.forge.changes import changes
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.failures import FOREIGN, forge_error
from bot.forge.label import with_label
from bot.forge.pace import Pace, permit
from bot.forge.queries import blobs
from bot.forge.source import Files
from bot.gate.facts import Facts, Role
from bot.gate.policy import STRICT, Policy
from tests.github import PullRequest, SmallGitHub, symlink
from tests.github.fixtures import github
from tests.github.graph.schema import Schema
from tests.pulls import GRANTED, LABEL, Team, team

__all__ = ["github"]


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


def facts(acme: Team, pull: PullRequest) -> Facts:
    client = acme.forge.client(acme.installation)
    return read.facts(client, acme.ref(pull), acme.app.id, datetime.now(UTC))


def files_of(acme: Team, pull: PullRequest) -> Files:
    client, known = acme.forge.client(acme.installation), facts(acme, pull)
    differing = changes(client, known)
    return Files(client, known, differing.merge_base, differing.changes)


# Errors ------------------------------------------------------------------------------------------


def exceptions(module: str) -> Iterator[type[Exception]]:
    for _, one in inspect.getmembers(import_module(module), inspect.isclass):
        if issubclass(one, Exception) and one.__module__.startswith(
            module.split(".", maxsplit=1)[0]
        ):
            yield one


def made(kind: type[Exception]) -> Exception:
    """Make an exception without going through a constructor that wants more than there is."""
    error = kind.__new__(kind)
    if isinstance(error, GithubException):
        GithubException.__init__(error, 500, {"message": "x"}, {})
    else:
        Exception.__init__(error, "x")
    return error


KINDS = [
    *exceptions("github.GithubException"),
    *exceptions("requests.exceptions"),
    *exceptions("urllib3.exceptions"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_the_libraries_below_has_a_meaning(kind: type[Exception]) -> None:
    assert issubclass(kind, (*FOREIGN, ValueError, RuntimeError, Warning))
    error = forge_error(made(kind))
    assert ":" in error.reason
    assert error.retry or error.status is not None


def test_the_exceptions_below_were_found() -> None:
    assert {BadAttributeException, requests.ReadTimeout, urllib3.exceptions.ProtocolError} <= {
        *KINDS
    }
    assert len(KINDS) > 40


def failed(status: int, message: str = "", **headers: str) -> ForgeError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return forge_error(GithubException(status, {"message": message}, named, message))


@pytest.mark.parametrize(
    ("status", "headers", "retry", "after"),
    [
        (500, {}, True, None),
        (502, {"retry_after": "3"}, True, 3),
        (503, {}, True, None),
        (429, {"retry_after": "7"}, True, 7),
        (429, {}, True, 60),
        (403, {"Retry_After": "9"}, True, 9),
        (403, {}, False, None),
        (401, {}, True, None),
        (404, {}, False, None),
        (410, {}, False, None),
        (409, {}, True, None),
        (422, {}, False, None),
        (400, {}, False, None),
    ],
)
def test_a_status_says_whether_trying_again_can_help(
    status: int, headers: dict[str, str], *, retry: bool, after: float | None
) -> None:
    error = failed(status, "why", **headers)
    assert (error.retry, error.after, error.status) == (retry, after, status)
    assert error.gone is (status in {404, 410})
    assert error.refused is (status == 422)
    assert error.heavy is (status >= 500)


def test_the_primary_limit_is_waited_for_until_its_reset() -> None:
    reset = str(int(time.time()) + 100)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    error = forge_error(pygithub.RateLimitExceededException(403, {"message": "x"}, headers))
    assert error.retry
    assert error.after is not None
    assert 95 < error.after <= 101


# Requests ----------------------------------------------------------------------------------------


class StandingClock:
    """Time that goes on only where somebody waits for it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.mark.parametrize(
    "how", [{"status": 502}, {"status": 500}, {"reset": True}, {"truncate": True}]
)
@pytest.mark.parametrize("kind", ["rest", "graphql"])
def test_what_only_reads_is_asked_for_again(acme: Team, kind: str, how: dict[str, Any]) -> None:
    client = acme.forge.client(acme.installation)

    def ask() -> None:
        if kind == "rest":
            assert client.get("/repos/acme/shop")["name"] == "shop"
        else:
            assert client.graphql("query { viewer { login } }", {})["viewer"]

    fault = acme.github.faults.add(which=lambda one: one.kind == kind, times=2, **how)
    ask()
    assert fault.hits == 2
    fault = acme.github.faults.add(which=lambda one: one.kind == kind, times=3, **how)
    with pytest.raises(ForgeError) as raised:
        ask()
    assert raised.value.retry
    assert fault.hits == 3


@pytest.mark.parametrize("how", [{"status": 401}, {"status": 404}, {"status": 429}])
def test_what_asking_again_does_not_mend_is_left_to_the_job(
    acme: Team, how: dict[str, Any]
) -> None:
    client = acme.forge.client(acme.installation)
    fault = acme.github.faults.add("GET", "/repos/acme/shop", **how)
    with pytest.raises(ForgeError):
        client.get("/repos/acme/shop")
    assert fault.hits == 1


def test_a_write_is_not_repeated(acme: Team) -> None:
    client = acme.forge.client(acme.installation)
    pull = acme.open({"README.md": "y\n"})
    comments = f"/repos/acme/shop/issues/{pull.number}/comments"
    fault = acme.github.faults.add("POST", comments, status=502)
    with pytest.raises(ForgeError, match="status 502"):
        client.send("POST", comments, {"body": "once"})
    assert fault.hits == 1


@pytest.mark.parametrize("how", [{"reset": True}, {"status": 502}])
def test_a_write_without_an_answer_has_landed_before_anybody_looks(
    acme: Team, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
) -> None:
    """What was sent may be done after its connection is gone: posted again it stood there twice."""
    clock = StandingClock()
    for module in (bot.forge.client, bot.forge.pace):
        monkeypatch.setattr(module, "time", clock)
    forge = GitHub(acme.app.id, acme.app.private_key, acme.github.url, pace=Pace(0, 0, 60))
    client = forge.client(acme.installation)
    pull = acme.open({"README.md": "y\n"})
    comments = f"/repos/acme/shop/issues/{pull.number}/comments"
    fault = acme.github.faults.add("POST", comments, after=True, **how)
    with pytest.raises(ForgeError):
        client.send("POST", comments, {"body": "once"})
    assert clock.waits == [60]
    acme.github.faults.remove(fault)
    with pytest.raises(ForgeError, match="not found"):
        client.send("POST", "/repos/acme/shop/issues/999/comments", {"body": "never"})
    assert clock.waits == [60]  # a refusal is an answer


def test_a_connection_that_is_cut_and_half_a_body_are_passing(acme: Team) -> None:
    client = acme.forge.client(acme.installation)
    for how in ("reset", "truncate"):
        kind: Any = {how: True}
        fault = acme.github.faults.add("POST", "/graphql", **kind)
        with pytest.raises(ForgeError) as error:
            list(read.open_pulls(client, acme.installation, "acme", "shop"))
        assert error.value.retry
        acme.github.faults.remove(fault)


def test_nothing_waits_for_a_limit_in_the_thread(acme: Team) -> None:
    client = acme.forge.client(acme.installation)
    fault = acme.github.faults.secondary_limit(retry_after=3600, method="GET")
    began = time.monotonic()
    with pytest.raises(ForgeError) as error:
        client.get("/repos/acme/shop")
    assert time.monotonic() - began < 10
    assert (error.value.retry, error.value.after, fault.hits) == (True, 3600, 1)


def test_a_body_that_is_no_json_is_passing(acme: Team) -> None:
    client = acme.forge.client(acme.installation)
    requester = client._requester
    answer: Any = ({}, {"data": "<html>Unicorn!</html>"})
    requester.requestJsonAndCheck = lambda *_, **__: answer  # type: ignore[method-assign]
    with pytest.raises(ForgeError, match="unreadable answer") as error:
        client.get("/repos/acme/shop")
    assert error.value.retry


@pytest.mark.parametrize(
    ("kind", "retry", "status"),
    [
        ("NOT_FOUND", False, 404),
        ("FORBIDDEN", False, 403),
        ("RATE_LIMITED", True, None),
        (None, True, None),
    ],
)
def test_half_an_answer_of_graphql_is_an_error(
    acme: Team, kind: str | None, *, retry: bool, status: int | None
) -> None:
    client = acme.forge.client(acme.installation)
    error: dict[str, object] = {"message": "x", "path": ["repository"]}
    error |= {"type": kind} if kind else {}
    answer: Any = ({}, {"data": {"repository": None}, "errors": [error]})
    client._requester.requestJsonAndCheck = lambda *_, **__: answer  # type: ignore[method-assign]
    with pytest.raises(ForgeError) as raised:
        client.graphql("query { x }", {})
    assert (raised.value.retry, raised.value.status) == (retry, status)
    optional = kind in {"NOT_FOUND", "FORBIDDEN"}
    if optional:
        assert client.graphql("query { x }", {}, optional="repository") == {"repository": None}


def test_a_token_is_asked_for_once_and_again_when_it_is_not_taken(acme: Team) -> None:
    def tokens() -> int:
        return sum(one.is_token_request for one in acme.github.requests)

    acme.forge.client(acme.installation).get("/repos/acme/shop")
    acme.forge.client(acme.installation).get("/repos/acme/shop")
    assert tokens() == 1
    fault = acme.github.faults.add("GET", "/repos/acme/shop", status=401, message="Bad credentials")
    with pytest.raises(ForgeError, match="credentials") as error:
        acme.forge.client(acme.installation).get("/repos/acme/shop")
    assert error.value.retry
    acme.github.faults.remove(fault)
    acme.forge.client(acme.installation).get("/repos/acme/shop")
    assert tokens() == 2


def test_an_installation_that_is_gone_says_so(acme: Team) -> None:
    acme.app.installations[0].delete()
    with pytest.raises(ForgeError) as error:
        acme.forge.client(acme.installation)
    assert error.value.gone


def test_the_app_knows_its_name_and_where_it_is_installed(acme: Team) -> None:
    assert acme.forge.slug() == "sockgate"
    assert acme.forge.installations() == [acme.installation]
    client = acme.forge.client(acme.installation)
    assert list(read.repositories(client)) == [("acme", "shop")]


def test_requests_are_counted_by_kind_and_outcome(acme: Team) -> None:
    counted: list[tuple[str, str]] = []
    forge = GitHub(
        acme.app.id,
        acme.app.private_key,
        acme.github.url,
        pace=Pace(0, 0, 0),
        count=lambda kind, outcome, _seconds: counted.append((kind, outcome)),
    )
    client = forge.client(acme.installation)
    client.get("/repos/acme/shop")
    with pytest.raises(ForgeError):
        client.get("/repos/acme/nothing")
    assert counted == [("app", "ok"), ("rest", "ok"), ("rest", "not found")]


class GoingClock(StandingClock):
    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_writes_of_an_installation_keep_their_distance_across_clients(
    acme: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = StandingClock()
    for module in (bot.forge.client, bot.forge.pace):
        monkeypatch.setattr(module, "time", clock)
    forge = GitHub(acme.app.id, acme.app.private_key, acme.github.url, pace=Pace(0, 1))
    pull = acme.open({"README.md": "y\n"})
    path = f"/repos/acme/shop/issues/{pull.number}/comments"

    def say() -> None:
        forge.client(acme.installation).send("POST", path, {"body": "Hello."})

    threads = [threading.Thread(target=say) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len([one for one in acme.github.requests if one.path.endswith("/comments")]) == 4
    assert sorted(clock.waits) == [1, 2, 3]


class Shared:
    """The permit of a job on one of several machines."""

    def __init__(self, machines: int) -> None:
        self._machines = machines

    def sharers(self) -> int:
        return self._machines

    def writing(self) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.mark.parametrize("machines", [1, 2, 5])
def test_all_machines_together_stay_under_eighty_writes_a_minute(
    machines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = permit.set(Shared(machines))
    times: list[float] = []
    try:
        for _ in range(machines):
            clock = GoingClock()
            for module in (bot.forge.client, bot.forge.pace):
                monkeypatch.setattr(module, "time", clock)
            installation = bot.forge.pace.Installation(Pace())
            while clock.now < 1_180:
                installation.wait(writes=True)
                times.append(clock.now)
    finally:
        permit.reset(token)
    assert max(sum(at <= other < at + 60 for other in times) for at in times) <= 60 + machines


def test_clients_in_many_threads_do_not_mix_up_their_requests(acme: Team) -> None:
    pulls = [acme.open({"README.md": f"{n}\n"}) for n in range(6)]
    wrong: list[object] = []

    def ask(pull: PullRequest) -> None:
        client = acme.forge.client(acme.installation)
        for _ in range(5):
            answer = client.get(f"/repos/acme/shop/pulls/{pull.number}")
            if answer["number"] != pull.number:
                wrong.append(answer["number"])

    threads = [threading.Thread(target=ask, args=(pull,)) for pull in pulls]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


# Queries -----------------------------------------------------------------------------------------

QUERIES = {
    "FACTS",
    "COMMIT",
    "NOW",
    "OPEN",
    "GROUP",
    "QUEUED",
    "QUEUE_BRANCHES",
    "POLICY",
    "MERGED",
    "PUT_ON",
}


@pytest.mark.parametrize("name", [*sorted(QUERIES), "blobs"])
def test_every_query_holds_against_githubs_schema(name: str) -> None:
    query = blobs(['"a:b"', '"c:d"']) if name == "blobs" else getattr(bot.forge.queries, name)
    assert Schema().problems(parse(query)) == []


def test_every_query_is_tested() -> None:
    names = {name for name in vars(bot.forge.queries) if name.isupper() and name[0] != "_"}
    assert names == QUERIES


# Reading -----------------------------------------------------------------------------------------


def test_facts_are_what_github_says(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    known = facts(acme, pull)
    assert (known.head, known.branch, known.is_open) == (pull.head_sha, pull.head_branch, True)
    assert known.author is not None
    assert known.author.login == "dev"
    assert known.contributors == {"dev"}
    assert known.labels == (LABEL,)
    assert [run.pulls for run in known.checks] == [{pull.number}]
    assert [comment.path for comment in known.comments] == ["compose.yaml"]
    client = acme.forge.client(acme.installation)
    known = with_label(client, known, Policy(label=LABEL.upper()))
    assert [(event.added, event.name) for event in known.events] == [(True, LABEL)]
    assert known.role("MIA") is Role.MAINTAIN


def test_a_label_with_no_history_has_no_role_to_look_up(acme: Team) -> None:
    pull = acme.open({"README.md": "y\n"})
    client = acme.forge.client(acme.installation)
    known = with_label(client, facts(acme, pull), STRICT)
    assert (known.events, known.roles) == ((), ())


def test_more_commits_than_a_page_are_read(acme: Team) -> None:
    pull = acme.open({"README.md": "0\n"})
    for number in range(1, 104):
        author = acme.tess if number == 1 else acme.dev
        pull.push({"README.md": f"{number}\n"}, by=acme.dev, author=author)
    known = facts(acme, pull)
    assert known.contributors == {"dev", "tess"}
    assert known.all_contributors_known


def test_a_base_branch_that_is_gone_leaves_its_last_commit(acme: Team) -> None:
    base = acme.shop.commit({"README.md": "1\n"}, by=acme.mia, branch="release")
    pull = acme.shop.pull({"README.md": "2\n"}, by=acme.dev, base="release")
    assert facts(acme, pull).base == base


def test_each_kind_of_change_has_its_sides(acme: Team) -> None:
    acme.shop.commit({"old.yml": "a: 1\n" * 20, "gone.yml": "b: 2\n", "c.yml": "1\n"}, by=acme.mia)
    pull = acme.open(
        {"old.yml": None, "new.yml": "a: 1\n" * 20, "gone.yml": None, "c.yml": "2\n", "d.yml": "3"}
    )
    found = changes(acme.forge.client(acme.installation), facts(acme, pull))
    sides = {(one.old, one.new) for one in found.changes}
    assert sides == {
        ("old.yml", "new.yml"), ("gone.yml", None), ("c.yml", "c.yml"), (None, "d.yml"),
    }  # fmt: skip
    assert found.complete


def test_both_sides_are_read_in_one_request_and_unchanged_files_once(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED, "README.md": None})
    files = files_of(acme, pull)
    before = len(acme.requests())
    files.fetch([(files.merge_base, "compose.yaml"), (files.head, "compose.yaml")])
    assert len(acme.requests()) - before == 1
    assert files.head_side.read("compose.yaml") == GRANTED.encode()
    assert files.base_side.read("compose.yaml") != GRANTED.encode()
    assert files.base_side.read("README.md") == b"x\n"
    assert files.head_side.read("README.md") is None
    assert files.now is not None
    assert files.now.head == pull.head_sha
    assert "compose.yaml" in files.base_side.paths()
    before = len(acme.requests())
    assert files.head_side.read("not/there.yml") is None
    assert len(acme.requests()) == before


def test_symbolic_links_and_folders_are_no_files(acme: Team) -> None:
    acme.shop.commit({"a/b.yml": "x\n", "link.yml": symlink("a/b.yml")}, by=acme.mia)
    pull = acme.open({"c.yml": "y\n"})
    files = files_of(acme, pull)
    assert files.head_side.paths() == ("README.md", "a/b.yml", "c.yml", "compose.yaml")
    assert files.head_side.read("link.yml") is None
    assert files_of(acme, pull).head_side.read("a") is None


def test_what_a_source_cannot_read_is_a_source_error(acme: Team) -> None:
    files = files_of(acme, acme.open({"compose.yaml": GRANTED}))
    acme.github.faults.add(status=404)
    with pytest.raises(SourceError):
        files.head_side.read("compose.yaml")
    with pytest.raises(SourceError):
        files.head_side.paths()


def test_a_batch_that_github_does_not_manage_is_read_in_parts(acme: Team) -> None:
    names = [f"{number}.yml" for number in range(50)]
    pull = acme.open(dict.fromkeys(names, "x\n"))
    files = files_of(acme, pull)
    fault = acme.github.faults.add(
        "POST", "/graphql", status=502, which=lambda request: "f49:" in request.body["query"]
    )
    files.fetch((files.head, name) for name in names)
    assert fault.hits == 1
    assert files.head_side.read("49.yml") == b"x\n"


def test_all_files_of_an_evaluation_are_bounded(
    acme: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forge.source._MOST_BYTES", 10)
    files = files_of(acme, acme.open({"a.yml": "123456", "b.yml": "123456"}))
    assert files.head_side.read("a.yml") == b"123456"
    with pytest.raises(SourceError, match="too large"):
        files.head_side.read("b.yml")
