"""Faults on purpose, waiting, and the pages of the small GitHub."""

import threading
import time

import pytest
import requests
from github import GithubException

from tests.github import Draft
from tests.github.fixtures import World, github, world

__all__ = ["github", "world"]


def post(world: World, path: str, body: dict[str, str], timeout: float = 10) -> requests.Response:
    token = world.github.tokens.issue(world.installation).value
    return requests.post(
        world.github.url + path,
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=timeout,
    )


def say(world: World, timeout: float = 10) -> requests.Response:
    return post(world, "/repos/acme/shop/issues/1/comments", {"body": "Hello."}, timeout)


# Faults ----------------------------------------------------------------------------------------


def test_a_status_strikes_so_many_times(world: World) -> None:
    fault = world.github.faults.add("POST", "*/comments", status=502, times=2)
    assert [say(world).status_code for _ in range(3)] == [502, 502, 201]
    assert (fault.hits, len(world.pull.comments)) == (2, 1)


def test_an_error_may_come_after_the_deed(world: World) -> None:
    world.github.faults.add("POST", "*/comments", status=502, after=True, times=1)
    assert say(world).status_code == 502
    assert len(world.pull.comments) == 1


def test_a_connection_is_cut_before_or_after_the_deed(world: World) -> None:
    for after, comments in ((False, 0), (True, 1)):
        world.github.faults.add(path="*/comments", reset=True, after=after, times=1)
        with pytest.raises(requests.ConnectionError):
            say(world)
        assert len(world.pull.comments) == comments
    assert say(world).status_code == 201


def test_an_answer_breaks_off(world: World) -> None:
    world.github.faults.add(path="*/comments", truncate=True, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        say(world)
    assert say(world).status_code == 201


def test_an_answer_is_late(world: World) -> None:
    world.github.faults.add(path="*/comments", delay=0.3, times=2)
    started = time.monotonic()
    assert say(world).status_code == 201
    assert time.monotonic() - started >= 0.3
    with pytest.raises(requests.exceptions.ReadTimeout):
        say(world, timeout=0.1)


def test_a_delay_holds_nobody_else_up(world: World) -> None:
    fault = world.github.faults.add(path="*/comments", delay=5)

    def give_up() -> None:
        with pytest.raises(requests.ReadTimeout):
            say(world, timeout=2)

    slow = threading.Thread(target=give_up)
    slow.start()
    world.github.wait_for(lambda: fault.hits)
    started = time.monotonic()
    assert world.client().get_repo("acme/shop").name == "shop"
    assert time.monotonic() - started < 4
    slow.join()


def test_the_secondary_limit_says_when_to_come_back(world: World) -> None:
    world.github.faults.secondary_limit(retry_after=7, status=429, method="POST", times=1)
    answer = say(world)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "secondary rate limit" in answer.json()["message"]


def test_faults_can_strike_now_and_then_and_be_taken_away(world: World) -> None:
    fault = world.github.faults.add(path="/graphql", status=503, probability=0.5)
    seen = {post_graphql(world).status_code for _ in range(30)}
    assert seen == {200, 503}
    world.github.faults.remove(fault)
    assert {post_graphql(world).status_code for _ in range(10)} == {200}
    world.github.faults.add(which=lambda request: request.writes, status=500)
    assert (say(world).status_code, post_graphql(world).status_code) == (500, 200)
    world.github.faults.clear()
    assert say(world).status_code == 201


def post_graphql(world: World) -> requests.Response:
    token = world.github.tokens.issue(world.installation).value
    return requests.post(
        f"{world.github.page_url}/api/graphql",
        json={"query": "{ viewer { login } }"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )


def test_bodies_that_are_none_are_refused(world: World) -> None:
    token = world.github.tokens.issue(world.installation).value
    for path, status in (("/repos/acme/shop/labels", 400), ("/graphql", 400)):
        base = world.github.url if path.startswith("/repos") else f"{world.github.page_url}/api"
        answer = requests.post(
            base + path, data="{", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert answer.status_code == status
    assert requests.get(f"{world.github.url}/app", timeout=10).status_code == 401


# Waiting ---------------------------------------------------------------------------------------


def test_waiting_ends_when_something_changes_or_not_at_all(world: World) -> None:
    later = threading.Timer(0.2, lambda: world.pull.label("one", by=world.mia))
    later.start()
    world.github.wait_for(lambda: world.pull.has_label("one"), timeout=10)
    later.join()
    with pytest.raises(TimeoutError):
        world.github.wait_for(lambda: world.pull.has_label("two"), timeout=0.1)


def test_many_may_ask_at_once(world: World) -> None:
    repository = world.client().get_repo("acme/shop")
    failed: list[GithubException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                repository.get_pull(1).create_issue_comment(f"{number}.{turn}")
        except GithubException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({comment.id for comment in world.pull.comments}) == 30


# Pages -----------------------------------------------------------------------------------------


def page(world: World, path: str = "") -> str:
    answer = requests.get(world.pull.url + path, timeout=10)
    assert answer.status_code == 200
    return answer.text


def press(world: World, **form: str) -> requests.Response:
    return requests.post(f"{world.pull.url}/act", data=form, allow_redirects=False, timeout=10)


def test_the_page_shows_a_comment_below_its_line(world: World) -> None:
    words = "<!-- marker -->\n**Root** on the host.\n\n"
    words += "<details><summary>Why</summary>\n\nSo.\n</details>"
    world.pull.review(
        by=world.app.bot,
        body="One finding.",
        comments=[
            Draft("compose.yml", words, 5),
            Draft("compose.yml", "All of it.", subject_type="file"),
        ],
    )
    shown = page(world)
    assert shown.index("docker.sock:/var/run/docker.sock</td>") < shown.index(
        "<strong>Root</strong>"
    )
    assert shown.index("All of it.") < shown.index("docker.sock:/var/run/docker.sock</td>")
    assert "<details><summary>Why</summary>" in shown
    assert "marker" not in shown
    assert "One finding." in shown


def test_nothing_on_the_page_is_anything_but_text(world: World) -> None:
    hostile = '<script>alert(1)</script><img src=x onerror="alert(2)"> [x](javascript:alert(3))'
    hostile += "\n\n<div onclick=alert(4)>\n</div>\n\n![i](http://example.com/i.png)"
    world.pull.edit(by=world.dev, title=hostile, body=hostile)
    world.pull.comment(hostile, by=world.dev)
    world.pull.push({"<script>alert(5)</script>.yml": hostile})
    run = world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", "failure")
    note = {"path": "<b>", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    output = {"title": hostile, "summary": hostile, "text": hostile}
    run.update(output={**output, "annotations": [note | {"message": hostile}]})
    for path in ("", "/checks"):
        shown = page(world, path)
        for tag in ("<script", "<img", "<div onclick", "<b>", 'href="javascript'):
            assert tag not in shown
    policy = requests.get(world.pull.url, timeout=10).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")


def test_the_page_says_whether_it_may_be_merged(world: World) -> None:
    world.shop.required_checks.append(("docker-socket", world.app))
    assert "waiting for it to be reported" in page(world)
    run = world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", "failure")
    run.update(output={"title": "1 container gains the daemon", "summary": "| a |\n|---|\n| b |"})
    shown = page(world)
    assert "Merging is blocked" in shown
    assert "1 container gains the daemon" in shown
    assert '<table tabindex="0">' in page(world, "/checks")
    run.update(conclusion="success")
    assert "Ready to merge" in page(world)
    link = requests.get(
        f"{world.github.page_url}/acme/shop/runs/{run.id}", allow_redirects=False, timeout=10
    )
    assert link.headers["location"] == f"/acme/shop/pull/1/checks#run-{run.id}"


def test_buttons_do_what_they_say_as_whom_they_say(world: World) -> None:
    world.shop.create_label("docker-socket-justified", by=world.mia)
    tim = world.github.user("tim")
    world.shop.add_collaborator(tim, "read")
    label = {"do": "label", "label": "docker-socket-justified"}
    assert "docker-socket-justified</option>" in page(world)
    assert press(world, by="tim", **label).status_code == 403
    assert press(world, by="stranger", **label).status_code == 403
    answer = press(world, by="mia", **label)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/acme/shop/pull/1?wait=1#checks",
    )
    assert world.pull.timeline[-1].actor is world.mia
    assert press(world, by="mia", do="unlabel", label="docker-socket-justified").status_code == 303
    assert world.pull.labels == []
    assert press(world, by="dev", do="comment", body="/docker-socket recheck").status_code == 303
    assert world.pull.comments[0].body == "/docker-socket recheck"
    assert press(world, by="dev", do="comment").status_code == 422
    assert press(world, by="dev", do="dance").status_code == 422


def test_a_run_is_asked_for_again_and_a_merge_waits_for_green(world: World) -> None:
    world.shop.required_checks.append(("docker-socket", world.app))
    run = world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", "failure")
    assert press(world, by="dev", do="rerun", run=str(run.id)).status_code == 303
    world.github.settle()
    assert world.github.webhooks.log[-1].name == "check_run.rerequested"
    assert press(world, by="dev", do="rerun", run="1").status_code == 404
    again = {"do": "press", "run": str(run.id), "button": "again"}
    assert press(world, by="dev", **again).status_code == 422
    run.update(actions=[{"label": "Again", "description": "Look", "identifier": "again"}])
    assert "Again</button>" in requests.get(f"{world.pull.url}/checks", timeout=10).text
    assert press(world, by="dev", **again).status_code == 303
    world.github.settle()
    assert world.github.webhooks.log[-1].name == "check_run.requested_action"
    assert press(world, by="dev", do="merge").status_code == 405
    run.update(conclusion="success")
    assert press(world, by="dev", do="merge").status_code == 303
    assert world.pull.merged_at is not None
    assert "merged" in page(world)


def test_forms_of_other_sites_are_not_taken(world: World) -> None:
    answer = requests.post(
        f"{world.pull.url}/act",
        data={"do": "comment", "by": "mia", "body": "x"},
        headers={"Origin": "http://evil.example"},
        timeout=10,
    )
    assert answer.status_code == 403
    assert world.pull.comments == []


def test_pages_that_are_not_there(world: World) -> None:
    home = world.github.page_url
    assert "Add a volume" in requests.get(home, timeout=10).text
    for path in ("/acme", "/acme/shop/pull/99", "/acme/none/pull/1", "/acme/shop/runs/1"):
        assert requests.get(home + path, timeout=10).status_code == 404
