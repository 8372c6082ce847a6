"""Teams, and the policy itself: who else may, and what happens where it is broken."""

from datetime import timedelta

import pytest

from tests.github import symlink
from tests.scenarios.stage import GRANTED, LABEL, POLICY, Scene, Stage

TEAMS = "teams: [security]\n"


def with_policy(scene: Scene, text: str) -> None:
    """Put a policy on the default branch."""
    scene.shop.commit({POLICY: text}, by=scene.mia)
    scene.judged()


def test_a_member_of_a_team_puts_the_label_on(scene: Scene) -> None:
    """The policy names a team, and a member with the role triage labels.

    It turns green: the members may, whatever their role is. Out of the team again, it is red.
    """
    with_policy(scene, TEAMS)
    scene.shop.owner.team("security", scene.tess)
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_green(pull)
    scene.shop.owner.teams["security"].clear()
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_member_of_another_team_puts_the_label_on(scene: Scene) -> None:
    """The policy names a team, and somebody labels who is in another one.

    It stays red.
    """
    with_policy(scene, TEAMS)
    scene.shop.owner.team("security", scene.mia)
    scene.shop.owner.team("frontend", scene.tess)
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)


def test_someone_only_invited_to_a_team_puts_the_label_on(scene: Scene) -> None:
    """The membership in the team that the policy names is still pending.

    It stays red: an invitation is no membership.
    """
    with_policy(scene, TEAMS)
    scene.shop.owner.team("security", scene.tess, state="pending")
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)


def test_the_author_is_in_the_team(scene: Scene) -> None:
    """The author of a pull request is in the team that the policy names, and labels it.

    It stays red: a team takes the place of a role, and of nothing else.
    """
    with_policy(scene, TEAMS)
    scene.shop.owner.team("security", scene.dev)
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_team_of_another_organisation(scene: Scene) -> None:
    """The policy names a team of an organisation that this installation does not reach.

    It stays red, and says which permission is missing; a maintainer's label helps all the same.
    """
    other = scene.github.organization(f"other-{scene.shop.owner.login}")
    other.team("security", scene.tess)
    with_policy(scene, f"teams: [{other.login}/security]\n")
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    assert "permission to read members" in scene.said(pull)
    scene.justify(pull)


def test_the_app_may_not_see_the_teams(scene: Scene) -> None:
    """Nobody accepted the permission to read members yet, and a member of the team labels.

    It stays red, and says which permission is missing: what cannot be seen is a no.
    """
    with_policy(scene, TEAMS)
    scene.shop.owner.team("security", scene.tess)
    (installation,) = scene.github.installations_of(scene.shop)
    del installation.permissions["members"]
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    assert "permission to read members" in scene.said(pull)


def test_a_broken_policy_lowers_nothing(scene: Scene) -> None:
    """The policy on the default branch lowers the role, and has a mistake in another line.

    It is as strict as none: a writer's label does not count, and the check names line and key.
    """
    with_policy(scene, "role: write\nhold: [critical]\nrequire_reasn: true\n")
    pull = scene.shown_red()
    writer = scene.github.user(f"writer-{scene.shop.owner.login}")
    scene.shop.add_collaborator(writer, "write")
    pull.label(LABEL, by=writer)
    scene.judged()
    scene.is_red(pull)
    assert "The policy is broken" in scene.said(pull)
    assert "line 3, `require_reasn`" in scene.said(pull)


def test_a_broken_policy_is_told_where_nothing_is_found(scene: Scene) -> None:
    """The policy is broken, and a pull request changes nothing but words.

    It is green, and its check says what is wrong with the policy.
    """
    with_policy(scene, "label: ''\n")
    pull = scene.open({"README.md": "words\n"})
    scene.is_green(pull)
    assert "line 1, `label`" in scene.said(pull)


def test_what_is_ignored_until_a_day_is_held_after_it(scene: Scene) -> None:
    """The policy ignores a file until a day, and the pull request stays open beyond it.

    Until then it is green, and the check lists the rule; after it, it is red and tells that the
    rule has ended.
    """
    last = scene.github.clock.now().date() + timedelta(days=1)
    rule = f"ignore:\n  - path: compose.yaml\n    reason: old host\n    until: {last}\n"
    with_policy(scene, rule)
    pull = scene.open({"compose.yaml": GRANTED})
    scene.is_green(pull)
    assert f"until {last}" in scene.said(pull)
    with_policy(scene, rule.replace(str(last), "2020-01-31"))
    scene.is_red(pull)
    assert "ended on 2020-01-31" in scene.said(pull)


def test_an_owner_with_collaborators_takes_the_role_write(stage: Stage) -> None:
    """A person's repository has a collaborator, its policy the role write; the owner labels alone.

    It stays red: there is somebody to ask. The collaborator's label turns it green, but not on
    a change of the collaborator's own. Without collaborators the owner's own label counts.
    """
    scene = stage.scene({POLICY: "role: write\n"}, user=True)
    pull = scene.open({"compose.yaml": GRANTED}, by=scene.mia)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_green(pull)
    theirs = scene.open({"other.yaml": GRANTED}, by=scene.dev)
    theirs.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(theirs)
    scene.shop.collaborators.pop(scene.dev)
    alone = scene.open({"third.yaml": GRANTED}, by=scene.mia)
    alone.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_green(alone)


def test_an_owner_lists_another_person(stage: Stage) -> None:
    """The policy of a person's repository lists somebody else; the owner labels the own change.

    It stays red: whoever was listed is there to be asked, and their label turns it green.
    """
    scene = stage.scene(user=True)
    with_policy(scene, f"users: [{scene.dev.login}]\n")
    pull = scene.open({"compose.yaml": GRANTED}, by=scene.mia)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_green(pull)


def test_out_of_an_ignored_place(stage: Stage) -> None:
    """The policy ignores `examples/`; what was merged there is moved to where it is used.

    It is red: nobody justified it, it was only not held.
    """
    rules = "ignore:\n- {path: examples/, reason: run by nobody}\n"
    scene = stage.scene({POLICY: rules, "examples/compose.yaml": GRANTED})
    pull = scene.open({"examples/compose.yaml": None, "deploy/compose.yaml": GRANTED})
    scene.is_red(pull)
    scene.justify(pull)


def test_an_ignored_place_is_rearranged(stage: Stage) -> None:
    """The policy ignores `examples/`, and something is moved within it.

    It is green.
    """
    rules = "ignore:\n- {path: examples/, reason: run by nobody}\n"
    scene = stage.scene({POLICY: rules, "examples/compose.yaml": GRANTED})
    pull = scene.open({"examples/compose.yaml": None, "examples/web/compose.yaml": GRANTED})
    scene.is_green(pull)


@pytest.mark.parametrize("text", [b"label: x\0\xff", None], ids=["binary", "folder"])
def test_a_policy_that_is_no_text(stage: Stage, text: bytes | None) -> None:
    """The repository's own policy is a binary file, or a folder; the owner's lowers the role.

    It is as strict as none, not as lax as the owner's; and the check says so.
    """
    scene = stage.scene({POLICY: text} if text is not None else {f"{POLICY}/x": "y\n"})
    scene.shop.owner.repository(".github", {"sockgate.yml": "role: write\n"})
    pull = scene.shown_red()
    other = scene.github.user(f"other-{scene.shop.owner.login}")
    scene.shop.add_collaborator(other, "write")
    pull.label(LABEL, by=other)
    scene.judged()
    scene.is_red(pull)
    assert "The policy is broken" in scene.said(pull)


def test_a_change_to_the_owners_policy(stage: Stage) -> None:
    """A pull request to the owner's `.github` changes the policy for all, with a mistake in it.

    It is told so, and that it does not apply to itself.
    """
    scene = stage.scene()
    home = scene.shop.owner.repository(".github", {"README.md": "x\n"})
    home.add_collaborator(scene.dev, "write")
    pull = home.pull({"sockgate.yml": "rolle: write\n"}, by=scene.dev, title="A change")
    scene.judged()
    assert "rolle" in scene.said(pull)
    assert "does not apply to itself" in scene.said(pull)


def test_the_owners_repository_may_not_be_seen(stage: Stage) -> None:
    """The owner's policy lowers the role, and lies in a private repository that the App is not on.

    It is as strict as none: a writer's label does not count.
    """
    scene = stage.scene()
    home = scene.shop.owner.repository(".github", {"sockgate.yml": "role: write\n"}, private=True)
    (here,) = (one for one in scene.app.installations if one.account is scene.shop.owner)
    here.selected = {scene.shop}
    assert home.private
    pull = scene.shown_red()
    other = scene.github.user(f"other-{scene.shop.owner.login}")
    scene.shop.add_collaborator(other, "write")
    pull.label(LABEL, by=other)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_link_as_the_policy(stage: Stage) -> None:
    """The policy on the default branch is a symbolic link to a file that lowers the role.

    It is as strict as none, and the check says so: what a link leads to is not what it says.
    """
    scene = stage.scene({POLICY: symlink("../lax.yml"), "lax.yml": "role: write\n"})
    pull = scene.shown_red()
    other = scene.github.user(f"other-{scene.shop.owner.login}")
    scene.shop.add_collaborator(other, "write")
    pull.label(LABEL, by=other)
    scene.judged()
    scene.is_red(pull)
    assert "The policy is broken" in scene.said(pull)
