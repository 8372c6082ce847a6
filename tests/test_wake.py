"""Headers, body and secrets -> Wake, Ignored or Refused."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from bot import wake
from bot.pull import PullRef
from bot.wake import (
    Ignored,
    Refused,
    Repository,
    Wake,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakeLeave,
    WakePull,
    WakeRepository,
    WakeScan,
)
from tests.github import examples

SECRET = "it's a secret"
SHA = "a" * 40
GROUP = {"head_sha": "a" * 40, "base_sha": "b" * 40}  # its branch is missing
REPOSITORY: dict[str, Any] = {
    "installation": {"id": 7},
    "repository": {"full_name": "octo/hello", "default_branch": "main"},
}
HELLO = Repository(7, "octo", "hello")
PULL = WakePull(PullRef(7, "octo", "hello", 5))


def sign(body: bytes, secret: str = SECRET, kind: str = "sha256") -> str:
    return f"{kind}={hmac.new(secret.encode(), body, kind).hexdigest()}"


def headers(body: bytes, event: str = "pull_request", **changed: str | None) -> dict[str, str]:
    made: dict[str, str | None] = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": sign(body),
    }
    made |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in made.items() if value is not None}


def read(event: str, own: str | None = None, **payload: Any) -> Wake | Ignored | Refused:
    body = json.dumps(REPOSITORY | payload).encode()
    return wake.read(headers(body, event), body, [SECRET], own)


def target(event: str, **payload: Any) -> wake.Target:
    found = read(event, **payload)
    assert isinstance(found, Wake), found
    return found.target


def why(event: str, **payload: Any) -> str:
    found = read(event, **payload)
    assert isinstance(found, Ignored), found
    return found.why


def status(body: bytes, event: str = "pull_request", **changed: str | None) -> int:
    found = wake.read(headers(body, event, **changed), body, [SECRET])
    assert isinstance(found, Refused), found
    assert found.why
    return found.status


BODY = json.dumps(REPOSITORY | {"action": "opened", "pull_request": {"number": 5}}).encode()


def test_a_signed_delivery_becomes_coordinates_and_nothing_else() -> None:
    found = wake.read(headers(BODY), BODY, [SECRET])
    assert found == Wake("72d3162e-cc78-11e3-81ab-4c9367dc0958", "pull_request", "opened", PULL)


def test_any_of_several_secrets_may_have_signed() -> None:
    for secrets in (["old", SECRET], [SECRET, "old"], ["a", SECRET, "b"]):
        assert isinstance(wake.read(headers(BODY), BODY, secrets), Wake)
    assert isinstance(wake.read(headers(BODY), BODY, ["old", "older"]), Refused)
    assert isinstance(wake.read(headers(BODY), BODY, []), Refused)


def test_every_secret_is_compared_also_after_one_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return real(one, other)

    monkeypatch.setattr("bot.wake.hmac.compare_digest", compare)
    wake.read(headers(BODY), BODY, [SECRET, "second", "third"])
    assert len(compared) == 3


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        sign(BODY, "another secret"),
        sign(BODY + b" "),
        sign(BODY, kind="sha1"),
        sign(BODY).removeprefix("sha256="),
        sign(BODY).upper(),
        "sha256=é\udc80",
    ],
)
def test_whoever_does_not_know_the_secret_gets_401(signature: str | None) -> None:
    assert status(BODY, X_Hub_Signature_256=signature) == 401


def test_sha1_is_never_enough() -> None:
    old = sign(BODY, kind="sha1")
    assert status(BODY, X_Hub_Signature_256=None, X_Hub_Signature=old) == 401


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a":' + b"[" * 100_000, b"1" * 10_000])
def test_what_is_not_json_gets_400(body: bytes) -> None:
    assert status(body) == 400


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1"])
def test_what_is_not_an_object_gets_400(body: bytes) -> None:
    assert status(body) == 400


@pytest.mark.parametrize("delivery", [None, "", "../../etc", "a" * 65, "a\nb"])
def test_a_delivery_without_a_usable_id_gets_400(delivery: str | None) -> None:
    assert status(BODY, X_GitHub_Delivery=delivery) == 400


@pytest.mark.parametrize("event", [None, "", "Pull Request", "x" * 65])
def test_a_delivery_without_a_usable_event_gets_400(event: str | None) -> None:
    assert status(BODY, X_GitHub_Event=event) == 400


def test_only_json_is_read_and_the_form_encoded_are_told_what_to_set() -> None:
    for kind in (None, "text/plain", "application/json-patch+json"):
        assert status(BODY, Content_Type=kind) == 415
    found = wake.read(
        headers(BODY, Content_Type="application/x-www-form-urlencoded"), BODY, [SECRET]
    )
    assert isinstance(found, Refused)
    assert found.status == 415
    assert "content type to application/json" in found.why


def test_a_content_type_with_parameters_is_json_all_the_same() -> None:
    kind = "Application/JSON; charset=utf-8"
    assert isinstance(wake.read(headers(BODY, Content_Type=kind), BODY, [SECRET]), Wake)


def test_a_body_over_25_megabytes_gets_413() -> None:
    assert status(b" " * (wake.MAX_BODY + 1)) == 413


@pytest.mark.parametrize(
    "action", ["opened", "reopened", "synchronize", "edited", "labeled", "unlabeled", "closed"]
)
def test_what_happens_to_a_pull_request_wakes_it(action: str) -> None:
    pull = {"number": 5, "head": {"repo": None, "sha": SHA}}  # the fork was deleted
    assert target("pull_request", action=action, pull_request=pull) == PULL


def test_an_unlabeled_without_a_label_wakes_too() -> None:
    assert target("pull_request", action="unlabeled", pull_request={"number": 5}) == PULL


@pytest.mark.parametrize("action", ["assigned", "a new action", "", None, 5, ["opened"]])
def test_other_actions_are_ignored(action: object) -> None:
    assert why("pull_request", action=action, pull_request={"number": 5})


@pytest.mark.parametrize("event", ["ping", "star", "merge_queue_entry", "an_event_to_come"])
def test_other_events_are_ignored(event: str) -> None:
    assert why(event, action="created", zen="Keep it logically awesome.")


@pytest.mark.parametrize("event", ["check_run", "check_suite"])
def test_a_rerun_wakes_by_head_since_forks_are_not_listed(event: str) -> None:
    part = {"head_sha": SHA, "pull_requests": []}
    assert target(event, action="rerequested", **{event: part}) == WakeHead(HELLO, SHA)
    assert why(event, action="completed", **{event: part})


def test_the_button_of_a_check_wakes_by_head() -> None:
    part = {"head_sha": SHA, "pull_requests": []}
    pressed = {"requested_action": {"identifier": "check-again"}}
    assert target("check_run", action="requested_action", check_run=part, **pressed) == WakeHead(
        HELLO, SHA
    )


@pytest.mark.parametrize(
    "body",
    [
        "/docker-socket recheck",
        "thanks!\r\n\r\n/docker-socket recheck\r\n",
        "  /docker-socket\tbecause it builds images",
        "/docker-socket",
        "/docker-socket\r\nplease",
    ],
)
def test_a_command_on_a_pull_request_wakes_it(body: str) -> None:
    issue = {"number": 5, "pull_request": {"url": "…"}}
    assert target("issue_comment", action="created", issue=issue, comment={"body": body}) == PULL


@pytest.mark.parametrize(
    "body", ["", None, "see /docker-socket recheck", "/docker-sockets", "> /docker-socket"]
)
def test_other_comments_are_ignored(body: str | None) -> None:
    issue = {"number": 5, "pull_request": {}}
    assert why("issue_comment", action="created", issue=issue, comment={"body": body})


def test_a_command_on_an_issue_or_an_edited_one_is_ignored() -> None:
    comment = {"body": "/docker-socket recheck"}
    assert why("issue_comment", action="created", issue={"number": 5}, comment=comment)
    pull = {"number": 5, "pull_request": {}}
    assert why("issue_comment", action="edited", issue=pull, comment=comment)


def test_a_merge_group_is_named_by_both_its_commits_and_its_branch() -> None:
    group = {"base_sha": SHA, "head_sha": "b" * 64, "base_ref": "refs/heads/release/1.x"}
    asked = target("merge_group", action="checks_requested", merge_group=group)
    assert asked == WakeGroup(HELLO, SHA, "b" * 64, "release/1.x")
    assert why("merge_group", action="destroyed", merge_group=group)


def test_a_label_renamed_or_deleted_wakes_those_that_carry_it() -> None:
    label = {"name": "justified"}
    changes = {"name": {"from": "docker-socket-justified"}}
    assert target("label", action="edited", label=label, changes=changes) == WakeRepository(
        HELLO, ("justified", "docker-socket-justified")
    )
    assert target("label", action="deleted", label=label) == WakeRepository(HELLO, ("justified",))
    assert why("label", action="edited", label=label, changes={"color": {"from": "f00"}})
    assert why("label", action="created", label=label)


def push(ref: str = "refs/heads/main", **payload: Any) -> dict[str, Any]:
    return {"ref": ref, "forced": False, **payload}


@pytest.mark.parametrize("key", ["added", "modified", "removed"])
def test_a_push_that_changes_the_policy_wakes_the_repository(key: str) -> None:
    commits = [{"added": [], "modified": [], "removed": []}, {key: [".github/sockgate.yml"]}]
    assert target("push", **push(commits=commits)) == WakeRepository(HELLO)


def test_a_forced_push_wakes_since_it_does_not_list_what_it_takes_away() -> None:
    assert target("push", **push(forced=True, commits=[])) == WakeRepository(HELLO)


def test_a_push_that_is_cut_short_wakes_since_it_does_not_list_all() -> None:
    assert target("push", **push(commits=[{}] * 2_048)) == WakeRepository(HELLO)


def test_a_policy_changed_for_the_whole_owner_wakes_the_installation() -> None:
    repository = {"full_name": "octo/.github", "default_branch": "main"}
    commits = [{"modified": ["sockgate.yml"]}]
    asked = target("push", **push(commits=commits, repository=repository))
    assert asked == WakeInstallation(7)


@pytest.mark.parametrize(
    "commits",
    [[{"modified": ["docs/sockgate.yml"]}], [None, {"added": None}, {"added": [5]}], None],
)
def test_any_other_push_to_the_default_branch_is_for_the_register_alone(commits: Any) -> None:
    assert target("push", **push(commits=commits)) == WakeScan(HELLO)


def test_other_pushes_are_ignored() -> None:
    policy = [{"modified": [".github/sockgate.yml"]}]
    assert why("push", **push("refs/heads/topic", commits=policy))
    assert why("push", **push("refs/tags/main", commits=policy))
    assert why("push", **push(repository={"full_name": "octo/hello"}))


@pytest.mark.parametrize("action", ["created", "unsuspend", "new_permissions_accepted"])
def test_a_new_installation_wakes_all_it_sees(action: str) -> None:
    assert target("installation", action=action) == WakeInstallation(7)


def test_an_installation_that_goes_leaves_the_register() -> None:
    assert target("installation", action="deleted") == WakeLeave(7)
    assert why("installation", action="suspend")


def test_added_repositories_are_woken_removed_ones_leave_the_register() -> None:
    added = [{"full_name": "octo/hello"}, {"full_name": "octo/world"}]
    asked = target("installation_repositories", action="added", repositories_added=added)
    assert asked == WakeInstallation(7, (HELLO, Repository(7, "octo", "world")))
    assert why("installation_repositories", action="added", repositories_added=[])
    asked = target("installation_repositories", action="removed", repositories_removed=added[:1])
    assert asked == WakeLeave(7, (HELLO,))
    # An empty list must not come to mean all of the installation.
    assert why("installation_repositories", action="removed", repositories_removed=[])


def test_our_own_doing_is_ignored_and_nobody_elses() -> None:
    own = {"action": "labeled", "pull_request": {"number": 5}, "sender": {"login": "gate[bot]"}}
    assert isinstance(read("pull_request", "gate[bot]", **own), Ignored)
    assert isinstance(read("pull_request", "other[bot]", **own), Wake)
    assert isinstance(read("pull_request", None, **own), Wake)


def test_what_a_repositorys_own_webhook_sends_is_ignored_with_a_reason() -> None:
    assert "installation" in why(
        "pull_request", action="opened", pull_request={"number": 5}, installation=None
    )


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {"action": "opened"}),
        ("pull_request", {"action": "opened", "pull_request": {"number": "5"}}),
        ("pull_request", {"action": "opened", "pull_request": {"number": True}}),
        ("pull_request", {"action": "opened", "pull_request": {"number": 0}}),
        ("pull_request", {"action": "opened", "repository": None}),
        ("pull_request", {"action": "opened", "repository": {"full_name": "../../x"}}),
        ("pull_request", {"action": "opened", "repository": {"full_name": "octo/.."}}),
        ("pull_request", {"action": "opened", "repository": {"full_name": "octo/a b"}}),
        ("pull_request", {"action": "opened", "repository": {"full_name": "octo"}}),
        ("pull_request", {"action": "opened", "installation": {"id": "7"}}),
        ("check_run", {"action": "rerequested", "check_run": {"head_sha": "HEAD"}}),
        ("check_suite", {"action": "rerequested"}),
        ("merge_group", {"action": "checks_requested", "merge_group": {"head_sha": SHA}}),
        ("merge_group", {"action": "checks_requested", "merge_group": GROUP}),
        (
            "merge_group",
            {"action": "checks_requested", "merge_group": GROUP | {"base_ref": "refs/heads/a b"}},
        ),
        ("installation_repositories", {"action": "added"}),
        ("installation_repositories", {"action": "removed"}),
        ("installation_repositories", {"action": "added", "repositories_added": [5]}),
    ],
)
def test_an_event_without_its_coordinates_gets_400(event: str, payload: dict[str, Any]) -> None:
    found = read(event, **payload)
    assert isinstance(found, Refused)
    assert found.status == 400


def test_the_digest_is_what_github_documents() -> None:
    # The example of "Validating webhook deliveries", docs.github.com.
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    body, secret = b"Hello, World!", "It's a Secret to Everybody"
    assert sign(body, secret) == signature
    assert hashlib.sha256().name == "sha256"
    found = wake.read(headers(body, X_Hub_Signature_256=signature), body, [secret])
    assert found == Refused(400, "the body is not JSON")


EXAMPLES = [*examples()]
WAKING = {"opened", "reopened", "synchronize", "edited", "labeled", "unlabeled", "closed"}


def example(event: str, payload: dict[str, Any]) -> Wake | Ignored | Refused:
    body = json.dumps(payload).encode()
    return wake.read(headers(body, event), body, [SECRET])


def test_every_pull_request_example_of_github_is_accepted() -> None:
    payloads = [payload for event, payload in EXAMPLES if event == "pull_request"]
    assert len(payloads) > 20
    for payload in payloads:
        assert not isinstance(example("pull_request", payload), Refused)
        found = example("pull_request", payload | {"installation": {"id": 7}})
        if payload["action"] not in WAKING:
            assert isinstance(found, Ignored)
            continue
        assert isinstance(found, Wake)
        assert isinstance(found.target, WakePull)
        assert found.target.pull.number == payload["pull_request"]["number"]
        full_name = f"{found.target.pull.owner}/{found.target.pull.repo}"
        assert full_name == payload["repository"]["full_name"]


def test_no_example_of_any_event_is_refused() -> None:
    for event, payload in EXAMPLES:
        assert not isinstance(example(event, payload), Refused), event


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("check_run", WakeHead),
        ("check_suite", WakeHead),
        ("installation", WakeInstallation),
        ("installation_repositories", WakeInstallation),
        ("label", WakeRepository),
        ("merge_group", WakeGroup),
    ],
)
def test_examples_of_other_events_wake_too(event: str, kind: type) -> None:
    found = [
        example(event, payload | {"installation": {"id": 7}})
        for name, payload in EXAMPLES
        if name == event
    ]
    assert any(isinstance(one, Wake) and isinstance(one.target, kind) for one in found)
