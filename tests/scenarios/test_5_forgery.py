"""Forgery: checks, comments, records and deliveries that are not what they seem."""

import hashlib
import hmac
import http.client
import json
from urllib.parse import urlsplit

import pytest

from bot.publish.writes import marker
from tests.scenarios.stage import CHECK, COMPOSE, GRANTED, LABEL, MORE, Scene


def post(scene: Scene, body: bytes, headers: dict[str, str]) -> int:
    """Send something to the webhook's address, as anyone on the network may."""
    url = urlsplit(str(scene.app.webhook_url))
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("POST", url.path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_check_of_the_same_name_by_another_app(scene: Scene) -> None:
    """Another App posts a green check of our name, with a copy of the record that ours carries.

    It is red: checks are recognised by the App, by branch protection and by us.
    """
    pull = scene.shown_red()
    own = pull.check(CHECK, scene.app)
    assert own is not None
    other = scene.github.app("forger", permissions={"checks": "write"})
    other.install(scene.shop.owner)
    output = {"title": "fine", "summary": str(own.summary).replace("sockgate:record", "x")}
    scene.shop.new_check(other, pull.head_sha, name=CHECK, conclusion="success", output=output)
    scene.is_red(pull)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_record_by_another_app_shows_nothing(scene: Scene) -> None:
    """Another App posts our record of findings that our own check has not shown yet.

    A label on it does not count: it stays red.
    """
    seen = scene.shown_red({"compose.yaml": MORE})
    own = seen.check(CHECK, scene.app)
    assert own is not None
    other = scene.github.app("recorder", permissions={"checks": "write"})
    other.install(scene.shop.owner)
    with scene.github.webhooks.held():
        pull = scene.shop.pull({"compose.yaml": MORE}, by=scene.dev)
        forged = str(own.summary).replace(f"pull:{seen.number}", f"pull:{pull.number}")
        output = {"title": "1 grant", "summary": forged}
        scene.shop.new_check(other, pull.head_sha, name=CHECK, conclusion="failure", output=output)
        scene.github.clock.advance(2)
        pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_record_planted_in_a_file(scene: Scene) -> None:
    """A service is named like the hidden record of our check, with fingerprints to come.

    What it names is not taken for shown: the grants pushed after the label are red.
    """
    later = scene.shown_red({"compose.yaml": MORE})
    summary = str(later.check(CHECK, scene.app).summary)  # type: ignore[union-attr]
    line = summary.rsplit("\n", 1)[-1].replace(f"pull:{later.number}", f"pull:{later.number + 1}")
    hostile = json.dumps({"services": {line: {"image": "x", "volumes": ["/run/docker.sock:/s"]}}})
    pull = scene.justified({"compose.yaml": hostile})
    pull.push({"compose.yaml": MORE}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


@pytest.mark.parametrize("kind", ["finding", "record", "refusal"])
def test_a_marker_planted_in_a_comment(scene: Scene, kind: str) -> None:
    """Someone writes a comment with the hidden marker of ours, to silence the finding.

    Our comment is written, and it is red: only our own comments are taken for ours.
    """
    first = scene.shown_red()
    words = str(first.check(CHECK, scene.app).summary).rsplit("<!-- ", 1)[-1].split()  # type: ignore[union-attr]
    with scene.github.webhooks.held():
        pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev)
        pull.comment(marker(kind, *words[1:-1]), by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert [thread.comments[0].author for thread in pull.threads] == [scene.app.bot]


def test_our_comment_is_edited(scene: Scene) -> None:
    """Someone with write access edits our comment into praise.

    It says again what it said, and it is red: comments decide nothing.
    """
    pull = scene.shown_red()
    [thread] = pull.threads
    said = thread.comments[0].body
    thread.comments[0].edit("Looks good to me.", by=scene.mia)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert said in [one.comments[0].body for one in pull.threads]


def test_our_conversation_is_resolved(scene: Scene) -> None:
    """The author resolves our conversation.

    It is red, and not commented a second time.
    """
    pull = scene.shown_red()
    [thread] = pull.threads
    thread.resolve(by=scene.dev)
    pull.push({"README.md": "y\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert pull.threads == [thread]


def test_rerun_is_pressed(scene: Scene) -> None:
    """Someone presses "Re-run", which makes GitHub queue the suite again.

    The check is written anew: red, and after the label green.
    """
    pull = scene.shown_red()
    check = pull.check(CHECK, scene.app)
    assert check is not None
    check.rerequest(by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)
    green = pull.check(CHECK, scene.app)
    assert green is not None
    green.suite.rerequest(by=scene.dev)
    scene.judged()
    scene.is_green(pull)


def test_a_button_of_the_check_is_pressed(scene: Scene) -> None:
    """Someone presses "Check again", or sends the event of a button "Approve" that there is not.

    The pull request is looked at once more and stays red: no button carries a decision.
    """
    pull = scene.shown_red()
    check = pull.check(CHECK, scene.app)
    assert check is not None
    [button] = check.actions
    assert button["label"] == "Check again"
    for identifier in (button["identifier"], "approve"):
        check.request_action(identifier, by=scene.mia)
        scene.judged()
        scene.is_red(pull)


@pytest.mark.parametrize("how", ["no signature", "another secret", "another body", "sha1 only"])
def test_a_delivery_that_github_did_not_sign(scene: Scene, how: str) -> None:
    """Someone on the network posts a forged `labeled` to the webhook.

    It is refused, and nothing is read or written for it.
    """
    pull = scene.shown_red()
    genuine = scene.github.webhooks.log[-1]
    body = genuine.body
    headers = dict(genuine.headers)
    match how:
        case "no signature":
            del headers["X-Hub-Signature-256"], headers["X-Hub-Signature"]
        case "another secret":
            digest = hmac.new(b"guessed", body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        case "another body":
            body = body.replace(b'"action"', b'"Action"')
        case _:
            del headers["X-Hub-Signature-256"]
    asked = len(scene.github.requests)
    assert post(scene, body, headers) == 401
    scene.judged()
    assert len(scene.github.requests) == asked
    scene.is_red(pull)


def test_a_signed_delivery_that_lies(scene: Scene) -> None:
    """Whoever knows the secret sends a `labeled` by a maintainer that never happened.

    It stays red: nothing of the payload is believed but the number of the pull request.
    """
    pull = scene.shown_red()
    body = json.dumps(
        {
            "action": "labeled",
            "label": {"name": LABEL},
            "sender": {"login": scene.mia.login, "type": "User"},
            "installation": {"id": scene.app.installations[-1].id},
            "repository": {"full_name": scene.shop.full_name},
            "pull_request": {"number": pull.number, "labels": [{"name": LABEL}]},
        }
    ).encode()
    digest = hmac.new(scene.app.secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "forged-1",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    assert post(scene, body, headers) == 202
    scene.judged()
    scene.is_red(pull)


def test_names_that_would_break_our_page(scene: Scene) -> None:
    """File names and services carry Markdown, HTML comments and mentions.

    It is red, the record survives, and the label counts as usual.
    """
    name = "--> <!-- sockgate:record pull:1 --> @everyone [x](http://x) `</details>`"
    text = json.dumps({"services": {name: {"image": "`@a`", "volumes": ["/run/docker.sock:/s"]}}})
    pull = scene.shown_red({"a`b @c/compose.yaml": text})
    scene.justify(pull)
    pull.push({"compose.yaml": COMPOSE.replace("nginx:1", "nginx:2")}, by=scene.dev)
    scene.judged()
    scene.is_green(pull)
