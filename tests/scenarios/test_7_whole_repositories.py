"""Whole repositories: what is added, what is changed for all, and very many findings at once."""

from tests.scenarios.stage import GRANTED, LABEL, POLICY, Scene, Stage

WORDS = {"README.md": "words\n"}
MANY = 1_000


def services(number: int, first: int = 0) -> str:
    """Return a Compose file in which so many services get the socket."""
    each = "  s{n}:\n    image: acme/agent\n    volumes: [/var/run/docker.sock:/s]\n"
    return "services:\n" + "".join(each.format(n=n) for n in range(first, first + number))


def test_a_repository_is_added_to_the_installation(scene: Scene) -> None:
    """A repository with open pull requests and a label of its own in the policy is added.

    It gets that label, made with a description, and each pull request is judged.
    """
    owner = scene.shop.owner
    (installation,) = scene.github.installations_of(scene.shop)
    installation.selected = {scene.shop}
    barn = owner.repository("barn", {POLICY: "label: 'socket: agreed'\n"})
    barn.add_collaborator(scene.mia, "maintain")
    barn.add_collaborator(scene.dev, "write")
    pull = barn.pull({"compose.yaml": GRANTED}, by=scene.dev, title="A change")
    words = barn.pull(WORDS, by=scene.dev, title="Words")
    scene.judged()
    installation.add(barn)
    scene.judged()
    scene.is_red(pull)
    scene.is_green(words)
    (label,) = barn.labels
    assert (label.name, bool(label.description)) == ("socket: agreed", True)
    pull.label(label.name, by=scene.mia)
    scene.judged()
    scene.is_green(pull)
    assert barn.labels == [label]


def test_the_policy_takes_another_label(scene: Scene) -> None:
    """A push to the default branch names another label while a pull request is justified.

    It is red at once: the old label says nothing any more. The new one is there to be put on.
    """
    pull = scene.justified()
    scene.shop.commit({POLICY: "label: agreed\n"}, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    assert "agreed" in {one.name for one in scene.shop.labels}
    pull.label("agreed", by=scene.mia)
    scene.judged()
    scene.is_green(pull)


def test_the_owners_policy_for_all_repositories(scene: Scene) -> None:
    """The owner pushes a policy for all repositories to `.github`, where a justified change waits.

    It holds at once, for every repository without a policy of its own.
    """
    common = scene.shop.owner.repository(".github", {"README.md": "x\n"})
    pull = scene.justified()
    common.commit({"sockgate.yml": "role: admin\n"}, by=scene.github.root_of(scene.shop.owner))
    scene.judged()
    scene.is_red(pull)
    scene.shop.commit({POLICY: "role: maintain\n"}, by=scene.mia)
    scene.judged()
    scene.justify(pull)


def test_all_checks_are_run_again(scene: Scene) -> None:
    """The role of whoever labelled is taken away, and "Re-run all checks" is pressed.

    It turns red: whoever presses it, everything is read afresh.
    """
    pull = scene.justified()
    scene.shop.add_collaborator(scene.mia, "read")
    scene.shop.suite(scene.app, pull.head_sha).rerequest(by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_label_for_a_thousand_findings(scene: Scene) -> None:
    """A pull request adds more findings than the check has room to record, and is justified.

    It turns green, stays green on a push that adds nothing, and red with one more finding.
    """
    pull = scene.justified({"compose.yaml": services(MANY)})
    pull.push(WORDS, by=scene.dev)
    scene.judged()
    scene.is_green(pull)
    pull.push({"compose.yaml": services(MANY + 1)}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)


def test_a_thousand_findings_are_exchanged_for_others(stage: Stage) -> None:
    """A justified pull request with a thousand findings is pushed to hold a thousand others.

    It is red, although the number on the check is the same.
    """
    scene = stage.scene()
    pull = scene.justified({"compose.yaml": services(MANY)})
    pull.push({"compose.yaml": services(MANY, first=1)}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
