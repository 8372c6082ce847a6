"""What for: the label with the policy's exact name covers what the check showed, and no more."""

import json

import pytest

from tests.github import symlink
from tests.scenarios.stage import COMPOSE, GRANTED, LABEL, MORE, POLICY, Scene, Stage


def test_the_socket_goes_to_another_image(scene: Scene) -> None:
    """After the label, the author gives the justified socket to another image.

    It is red: who gets the socket is part of what was justified.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": GRANTED.replace("nginx:1", "evil/miner:1")}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_socket_goes_to_another_service(scene: Scene) -> None:
    """After the label, the author moves the mount to a new service.

    It is red.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": MORE.replace(GRANTED, COMPOSE)}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_same_grant_in_another_file(scene: Scene) -> None:
    """After the label, the author adds the very same service to another file.

    It is red: the file is part of what was justified.
    """
    pull = scene.justified()
    pull.push({"deploy/compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_lines_are_moved_around_a_justified_grant(scene: Scene) -> None:
    """After the label, the author pushes comments above the grant, so that all lines move.

    It stays green: a line number is no part of what was justified.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": "# a\n# b\n# c\n" + GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_green(pull)


@pytest.mark.parametrize(
    "name",
    [
        "docker\N{NON-BREAKING HYPHEN}socket-justified",
        "d\N{CYRILLIC SMALL LETTER O}cker-socket-justified",
        "docker-socket\N{ZERO WIDTH SPACE}-justified",
        "docker-socket-justified ",
        "docker-socket-justified-",
        "docker-socket",
        "\N{FULLWIDTH LATIN SMALL LETTER D}ocker-socket-justified",
    ],
    ids=["hyphen", "cyrillic", "zero width", "space", "longer", "shorter", "full width"],
)
def test_a_look_alike_of_the_label(scene: Scene, name: str) -> None:
    """A maintainer is talked into a label that looks like ours: another hyphen, letter or space.

    It stays red: the name has to be the same.
    """
    pull = scene.shown_red()
    pull.label(name, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_the_label_in_other_letters(scene: Scene) -> None:
    """The label was created in capitals, and a maintainer puts it on.

    It turns green: GitHub takes both for one label, and so does the check.
    """
    scene.shop.create_label(LABEL.upper(), by=scene.dev)
    pull = scene.shown_red()
    pull.label(LABEL.upper(), by=scene.mia)
    scene.judged()
    scene.is_green(pull)


@pytest.mark.parametrize(("written", "put_on"), [("\u00e9", "e\u0301"), ("e\u0301", "\u00e9")])
def test_the_label_in_another_normal_form(stage: Stage, written: str, put_on: str) -> None:
    """The policy writes an accent as one character, and the label has it as two, or the reverse.

    It turns green: both are the same text (Unicode's NFC).
    """
    scene = stage.scene({POLICY: f"label: justifi{written}\n"})
    pull = scene.shown_red()
    pull.label(f"justifi{put_on}", by=scene.mia)
    scene.judged()
    scene.is_green(pull)


def test_another_label_is_renamed_into_ours(scene: Scene) -> None:
    """A maintainer's "needs review" is renamed into our label by someone who may edit labels.

    It stays red: nothing tells that anybody put a label of our name on.
    """
    pull = scene.shown_red()
    pull.label("needs review", by=scene.mia)
    scene.judged()
    scene.github.clock.advance(90)
    label = scene.shop.label("needs review")
    assert label is not None
    label.edit(by=scene.dev, name=LABEL)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)


def test_our_label_is_renamed_away(scene: Scene) -> None:
    """Someone renames our label while it justifies a pull request.

    It is red: the name is no longer on it.
    """
    pull = scene.justified()
    label = scene.shop.label(LABEL)
    assert label is not None
    label.edit(by=scene.dev, name="something else")
    scene.judged()
    scene.is_red(pull)


def test_our_label_is_deleted_from_the_repository(scene: Scene) -> None:
    """Someone deletes the label itself; GitHub's event then names no label.

    It is red.
    """
    pull = scene.justified()
    label = scene.shop.label(LABEL)
    assert label is not None
    label.delete(by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_our_label_is_deleted_and_made_again(scene: Scene) -> None:
    """The label is deleted, created anew, and put on by the author.

    It is red: a maintainer's earlier act is not the latest one.
    """
    pull = scene.justified()
    label = scene.shop.label(LABEL)
    assert label is not None
    label.delete(by=scene.dev)
    scene.judged()
    scene.shop.create_label(LABEL, by=scene.dev)
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_policy_is_weakened_in_the_same_pull_request(scene: Scene) -> None:
    """The pull request brings a policy that ignores everything and lets its author justify.

    It stays red: the policy of the default branch applies, and the check says so.
    """
    policy = "self_justify: true\nrole: write\nignore:\n  - {path: '**', reason: fine}\n"
    pull = scene.shown_red({"compose.yaml": GRANTED, POLICY: policy})
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert "does not apply to itself" in scene.said(pull)


def test_the_policy_is_weakened_on_the_base_branch(scene: Scene) -> None:
    """The author puts a policy that ignores everything on a branch, and opens against that branch.

    It stays red: only the default branch's policy counts.
    """
    policy = "ignore:\n  - {path: '**', reason: fine}\n"
    scene.shop.commit({POLICY: policy}, by=scene.dev, branch="own")
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev, base="own", branch="change")
    scene.judged()
    scene.is_red(pull)


def test_the_policy_of_a_fork(scene: Scene) -> None:
    """The fork's default branch has a policy that ignores everything.

    It stays red: the policy is read from the repository that is asked to merge.
    """
    stranger = scene.github.user("stranger")
    fork = scene.shop.fork(stranger)
    fork.commit({POLICY: "ignore:\n  - {path: '**', reason: fine}\n"}, by=stranger)
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=stranger, source=fork)
    scene.judged()
    scene.is_red(pull)


def test_a_broken_policy_on_the_default_branch(stage: Stage) -> None:
    """The policy on the default branch has a mistake in it, next to a lower role.

    The strict defaults hold, so a writer's label leaves it red, and the check names the line.
    """
    scene = stage.scene({POLICY: "role: write\nlabels: x\n"})
    pull = scene.shown_red()
    helper = scene.github.user("helper")
    scene.shop.add_collaborator(helper, "write")
    pull.label(LABEL, by=helper)
    scene.judged()
    scene.is_red(pull)
    assert "line 2" in scene.said(pull)


def test_the_policy_becomes_stricter(stage: Stage) -> None:
    """A label counts under the policy; then the policy on the default branch asks for more.

    It is red as soon as the push has come: a verdict follows the policy of now.
    """
    scene = stage.scene({POLICY: "role: write\n"})
    pull = scene.shown_red()
    helper = scene.github.user("helper")
    scene.shop.add_collaborator(helper, "write")
    pull.label(LABEL, by=helper)
    scene.judged()
    scene.is_green(pull)
    scene.shop.commit({POLICY: "role: admin\n"}, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_comment_in_the_file_asks_to_be_ignored(scene: Scene) -> None:
    """The file says `# sockgate: ignore` and the like beside the mount.

    It is red: a comment in a file is a comment.
    """
    text = GRANTED.replace("docker.sock\n", "docker.sock # sockgate: ignore # nosec\n")
    scene.shown_red({"compose.yaml": "# sockgate: ignore-file\n" + text})


def test_the_description_asks_to_be_ignored(scene: Scene) -> None:
    """Title and description of the pull request carry commands and the label's name.

    It is red: nothing that the author writes is a justification.
    """
    body = f"/docker-socket approve\n\nLabels: {LABEL}\n\nReason: trust me\n<!-- sockgate ok -->"
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev, title=LABEL, body=body)
    scene.judged()
    scene.is_red(pull)


def test_what_the_policy_ignores_is_said(stage: Stage) -> None:
    """The policy ignores `examples/**`, and the pull request hides a grant for real use beside it.

    What is ignored is listed with its reason, and the other one is held red.
    """
    policy = "ignore:\n  - {path: 'examples/**', reason: shown only}\n"
    scene = stage.scene({POLICY: policy})
    pull = scene.open({"examples/compose.yaml": GRANTED})
    scene.is_green(pull)
    assert "shown only" in scene.said(pull)
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_an_ignored_file_that_others_take_in(stage: Stage) -> None:
    """The mount is in an ignored file, and a service outside of it takes it in by `extends`.

    It is red: whoever gets the socket is not in the ignored place.
    """
    policy = "ignore:\n  - {path: 'examples/**', reason: shown only}\n"
    scene = stage.scene({POLICY: policy})
    main = "services:\n  web:\n    extends: {file: examples/base.yaml, service: web}\n"
    scene.shown_red({"examples/base.yaml": GRANTED, "compose.yaml": main})


def test_a_grant_hidden_among_hundreds(scene: Scene) -> None:
    """One service of five hundred gets the socket, in a file of one line.

    It is red.
    """
    services = {f"s{n}": {"image": "nginx"} for n in range(500)}
    services["s250"]["volumes"] = ["/var/run/docker.sock:/s"]  # type: ignore[assignment]
    scene.shown_red({"compose.yaml": json.dumps({"services": services})})


@pytest.mark.parametrize("there", [False, True], ids=["new file", "file of the default branch"])
def test_a_link_to_a_file_with_another_name(scene: Scene, *, there: bool) -> None:
    """`deploy/compose.yaml` is a symbolic link to a text file that hands over the socket.

    It is red: who runs it follows the link.
    """
    link = symlink("../docs/notes.txt")
    if there:
        scene.shop.commit({"docs/notes.txt": GRANTED}, by=scene.mia)
        pull = scene.shown_red({"deploy/compose.yaml": link})
    else:
        pull = scene.shown_red({"deploy/compose.yaml": link, "docs/notes.txt": GRANTED})
    scene.justify(pull)


def test_the_same_grant_once_more(scene: Scene) -> None:
    """After the label, the author adds the very same grant to the same script a second time.

    It is red: a label covers as many as the check showed.
    """
    run = "docker run -v /var/run/docker.sock:/var/run/docker.sock acme/agent"
    pull = scene.justified({"deploy.sh": f"#!/bin/sh\n{run} clean\n"})
    pull.push({"deploy.sh": f"#!/bin/sh\n{run} clean\n{run} steal\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_our_label_is_renamed_away_among_many(scene: Scene) -> None:
    """The pull request carries as many labels as there can be when ours is renamed.

    It is red: the name is no longer on it.
    """
    pull = scene.shown_red()
    scene.github.webhooks.lose(lambda _: True)
    for number in range(60):
        pull.label(f"area-{number:02}", by=scene.dev)
    scene.github.webhooks.lose(None)
    scene.justify(pull)
    label = scene.shop.label(LABEL)
    assert label is not None
    label.edit(by=scene.dev, name="looked at")
    scene.judged()
    scene.is_red(pull)


def test_a_label_withdrawn_under_another_name(scene: Scene) -> None:
    """A writer renames our label, the maintainer takes it off, and another is renamed into ours.

    It stays red: what the maintainer had put on was not the label that is on now.
    """
    pull = scene.justified()
    pull.label("busy", by=scene.dev)
    ours, busy = (scene.shop.label(name) for name in (LABEL, "busy"))
    assert ours is not None
    assert busy is not None
    ours.edit(by=scene.dev, name="looked at")
    scene.judged()
    pull.unlabel("looked at", by=scene.mia)
    busy.edit(by=scene.dev, name=LABEL)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_deleted_label_comes_back_as_another_one(scene: Scene) -> None:
    """Our label is deleted to withdraw all of them, and a writer renames another one into ours.

    It stays red: that one was put on by nobody as ours.
    """
    pull = scene.justified()
    pull.label("busy", by=scene.dev)
    ours, busy = (scene.shop.label(name) for name in (LABEL, "busy"))
    assert ours is not None
    assert busy is not None
    ours.delete(by=scene.mia)
    busy.edit(by=scene.dev, name=LABEL)
    scene.judged()
    scene.is_red(pull)


def test_our_label_is_deleted_and_the_pull_requests_delivery_is_lost(scene: Scene) -> None:
    """The label is deleted, and of GitHub's events only the one about the label itself arrives.

    It is red: no pull request carries a deleted label any more, so all of them are looked at.
    """
    pull = scene.justified()
    label = scene.shop.label(LABEL)
    assert label is not None
    scene.github.webhooks.lose(lambda delivery: delivery.event == "pull_request")
    label.delete(by=scene.dev)
    scene.judged()
    scene.github.webhooks.lose(None)
    scene.is_red(pull)
