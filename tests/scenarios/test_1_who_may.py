"""Who may: the label counts from the right person only."""

import pytest

from tests.github.git import Signature
from tests.scenarios.stage import COMPOSE, GRANTED, LABEL, MORE, POLICY, Scene, Stage


def test_the_author_puts_the_label_on(scene: Scene) -> None:
    """An author with the role maintain labels the own pull request.

    It stays red, the label comes off, and a comment says who may.
    """
    pull = scene.open(by=scene.mia)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)
    assert "the author of the pull request put the label on" in scene.said(pull)


def test_a_writer_puts_the_label_on(scene: Scene) -> None:
    """Someone with the role write labels the pull request of another person.

    It stays red: by default only the roles maintain and admin count.
    """
    pull = scene.shown_red()
    helper = scene.github.user("helper")
    scene.shop.add_collaborator(helper, "write")
    pull.label(LABEL, by=helper)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)


def test_a_triage_user_puts_the_label_on(scene: Scene) -> None:
    """Someone with the role triage, which GitHub lets apply labels, labels the pull request.

    It stays red, and the label comes off. A maintainer's label helps afterwards.
    """
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)
    scene.justify(pull)


def test_an_app_puts_the_label_on(scene: Scene) -> None:
    """Another App that may write to pull requests puts the label on by itself.

    It stays red: an App or bot counts only where the policy names it.
    """
    pull = scene.shown_red()
    other = scene.github.app("labeler", permissions={"pull_requests": "write"})
    pull.label(LABEL, by=other.bot, app=other)
    scene.judged()
    scene.is_red(pull)


def test_an_app_puts_the_label_on_for_a_maintainer(scene: Scene) -> None:
    """An App acts with a maintainer's token, so that the label shows as the maintainer's.

    It stays red: GitHub tells through which App it came, and nobody looked.
    """
    pull = scene.shown_red()
    other = scene.github.app("assistant", permissions={"pull_requests": "write"})
    pull.label(LABEL, by=scene.mia, app=other)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_bot_with_a_high_role_puts_the_label_on(scene: Scene) -> None:
    """A bot account that was given the role maintain puts the label on.

    It stays red: a role does not make a bot a person.
    """
    pull = scene.shown_red()
    robot = scene.github.bot("release-robot")
    scene.shop.add_collaborator(robot, "maintain")
    pull.label(LABEL, by=robot)
    scene.judged()
    scene.is_red(pull)


def test_an_app_that_the_policy_names_puts_the_label_on(stage: Stage) -> None:
    """The policy on the default branch lists an App under `users`, and that App labels.

    It turns green: this is what the owners decided.
    """
    scene = stage.scene({POLICY: "users: ['gatekeeper[bot]']\n"})
    other = scene.github.app("gatekeeper", permissions={"pull_requests": "write"})
    pull = scene.shown_red()
    pull.label(LABEL, by=other.bot, app=other)
    scene.judged()
    scene.is_green(pull)


def test_a_maintainer_who_pushed_a_commit_puts_the_label_on(scene: Scene) -> None:
    """A maintainer pushes a commit onto somebody else's branch, then labels the pull request.

    It stays red: whoever wrote a part of it does not judge it.
    """
    pull = scene.open()
    pull.push({"README.md": "by the maintainer\n"}, by=scene.mia)
    scene.judged()
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_maintainer_who_only_committed_puts_the_label_on(scene: Scene) -> None:
    """The commit names somebody else as its author, and the maintainer as its committer only.

    It stays red: committers count as contributors.
    """
    pull = scene.open({"README.md": "y\n"})
    pull.push({"compose.yaml": GRANTED}, by=scene.dev, author=scene.dev, committer=scene.mia)
    scene.judged()
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_coauthor_puts_the_label_on(scene: Scene) -> None:
    """A maintainer is named by a `Co-authored-by` line in a commit, and labels the pull request.

    It stays red: co-authors count as contributors.
    """
    pull = scene.open({"README.md": "y\n"})
    message = f"Add it\n\nCo-authored-by: Mia <{scene.mia.email}>\n"
    pull.push({"compose.yaml": GRANTED}, by=scene.dev, message=message)
    scene.judged()
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_commit_is_written_in_the_name_of_nobody(scene: Scene) -> None:
    """The author commits under an address that belongs to no account, and labels the own change.

    It stays red: who opened the pull request is known whatever the commits say.
    """
    scene.shop.add_collaborator(scene.dev, "maintain")
    pull = scene.open({"README.md": "y\n"})
    nobody = Signature("Nobody", "nobody@example.com", scene.github.clock.now())
    pull.push({"compose.yaml": GRANTED}, by=scene.dev, author=nobody, committer=nobody)
    scene.judged()
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_login_in_other_letters_is_the_same_person(stage: Stage) -> None:
    """The policy writes a login in capitals, and that person labels a change of the own.

    It stays red: logins are compared as GitHub does, and the author rule holds for those the
    policy lists. On somebody else's change the same label counts.
    """
    scene = stage.scene({POLICY: "users: [SAM]\n"})
    sam = scene.github.user("sam")
    scene.shop.add_collaborator(sam, "write")
    own = scene.open(by=sam)
    own.label(LABEL, by=sam)
    scene.judged()
    scene.is_red(own)
    other = scene.shown_red()
    other.label(LABEL, by=sam)
    scene.judged()
    scene.is_green(other)


def test_the_account_behind_the_label_is_deleted(scene: Scene) -> None:
    """A maintainer labels, and deletes the account afterwards.

    It turns red with the next evaluation: nobody stands for it any more.
    """
    pull = scene.justified()
    scene.mia.delete()
    pull.push({"README.md": "y\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_author_deletes_the_account(scene: Scene) -> None:
    """The author's account is gone, so nobody can tell whether the one who labels is the author.

    It stays red: what cannot be told is a no.
    """
    pull = scene.shown_red()
    scene.dev.delete()
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_the_role_is_taken_away_after_the_label(scene: Scene) -> None:
    """A maintainer labels, and is a mere writer later on.

    It is red from the next evaluation on: the role counts that is held now.
    """
    pull = scene.justified()
    scene.shop.add_collaborator(scene.mia, "write")
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_whoever_labelled_leaves_the_repository(scene: Scene) -> None:
    """A maintainer labels, and is no collaborator any more later on.

    It is red on the next head.
    """
    pull = scene.justified()
    scene.shop.remove_collaborator(scene.mia)
    pull.push({"README.md": "y\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


@pytest.mark.parametrize("base", ["read", "triage", "write", "maintain"])
def test_a_role_that_the_organisation_invented(scene: Scene, base: str) -> None:
    """Someone holds a role that the organisation invented, on top of a built-in one, and labels.

    It stays red, even on top of maintain: GitHub tells no more than "write" about such a role.
    """
    scene.shop.owner.custom_role("release manager", base=base)
    robin = scene.github.user("robin")
    scene.shop.add_collaborator(robin, "release manager")
    pull = scene.shown_red()
    pull.label(LABEL, by=robin)
    scene.judged()
    scene.is_red(pull)


def test_an_owner_of_the_organisation_puts_the_label_on(scene: Scene) -> None:
    """An owner, who is no collaborator by name but has the role admin everywhere, labels.

    It turns green: roles are compared by their order, not by their name.
    """
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.github.root_of(scene.shop.owner))
    scene.judged()
    scene.is_green(pull)


def test_the_policy_lowers_the_role(stage: Stage) -> None:
    """The policy on the default branch asks for the role write only, and a writer labels.

    It turns green, but not for a triage user, and not for the author.
    """
    scene = stage.scene({POLICY: "role: write\n"})
    pull = scene.shown_red()
    for who in (scene.tess, scene.dev):
        pull.label(LABEL, by=who)
        scene.judged()
        scene.is_red(pull)
    helper = scene.github.user("helper")
    scene.shop.add_collaborator(helper, "write")
    pull.label(LABEL, by=helper)
    scene.judged()
    scene.is_green(pull)


def test_somebody_lesser_puts_the_label_on_again(scene: Scene) -> None:
    """A maintainer's label is taken off and put on again by a triage user.

    It stays red: the last one who put it on counts, and no earlier one.
    """
    pull = scene.justified()
    pull.unlabel(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)


def test_someone_takes_the_label_off_and_on_at_once(scene: Scene) -> None:
    """A triage user takes a maintainer's label off and puts it on within a second.

    It is red: the evaluation sees the last act, however many came before it.
    """
    pull = scene.justified()
    with scene.github.webhooks.held():
        pull.unlabel(LABEL, by=scene.tess)
        pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)


def test_a_lone_owner_labels_the_own_change(stage: Stage) -> None:
    """The repository belongs to a person, who opens and labels the pull request alone.

    It turns green, after the check has shown the finding: there is nobody else to ask.
    """
    scene = stage.scene(user=True)
    pull = scene.open(by=scene.mia)
    scene.is_red(pull)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_green(pull)


def test_a_collaborator_of_a_lone_owner_puts_the_label_on(stage: Stage) -> None:
    """The repository belongs to a person, and a collaborator labels a change of the own.

    It stays red: what the owner may alone, others may not.
    """
    scene = stage.scene(user=True)
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_anybody_gives_the_comment_command(scene: Scene) -> None:
    """A stranger writes `/docker-socket approve` and `/docker-socket recheck`.

    It stays red: the command evaluates once more, and grants nothing.
    """
    pull = scene.shown_red()
    stranger = scene.github.user("stranger")
    pull.comment("/docker-socket approve", by=stranger)
    pull.comment("/docker-socket recheck", by=stranger)
    scene.judged()
    scene.is_red(pull)


def test_a_reason_by_somebody_else(stage: Stage) -> None:
    """The policy asks for a reason, and the author writes one for the maintainer.

    It stays red until the one who labelled writes why.
    """
    scene = stage.scene({POLICY: "require_reason: true\n"})
    pull = scene.shown_red()
    pull.comment("Reason: it says so in the guide, I promise.", by=scene.dev)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    pull.comment("Reason: Traefik reads container labels, on a host of its own.", by=scene.mia)
    scene.judged()
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_green(pull)


def test_two_maintainers_disagree(scene: Scene) -> None:
    """One maintainer labels, another one takes it off.

    It is red at once, and green again when one of them puts the label on again.
    """
    pull = scene.justified({"compose.yaml": MORE, "compose.prod.yaml": COMPOSE})
    ann = scene.github.user("ann")
    scene.shop.add_collaborator(ann, "admin")
    pull.unlabel(LABEL, by=ann)
    scene.judged()
    scene.is_red(pull)
    pull.label(LABEL, by=ann)
    scene.judged()
    scene.is_green(pull)


def test_an_app_acts_for_someone_the_policy_names(stage: Stage) -> None:
    """The policy names a person, and an App labels with that person's token.

    It stays red: the policy names the person, not the App. By hand it turns green.
    """
    scene = stage.scene()
    scene.shop.commit({POLICY: f"users: [{scene.tess.login}]\n"}, by=scene.mia)
    scene.judged()
    helper = scene.github.app("helper", permissions={"pull_requests": "write"})
    pull = scene.shown_red()
    pull.label(LABEL, by=scene.tess, app=helper)
    scene.judged()
    scene.is_red(pull)
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_green(pull)


def test_an_app_that_the_policy_names_judges_its_own_change(stage: Stage) -> None:
    """The policy lists an App, which opens a pull request and labels it, or pushes a commit to one.

    It stays red: the author rule holds for Apps, too, whatever their name is called where.
    """
    scene = stage.scene({POLICY: "users: ['updater[bot]']\n"})
    updater = scene.github.app("updater", permissions={"pull_requests": "write"})
    scene.shop.add_collaborator(updater.bot, "write")
    branch = scene.shop.commit({"compose.yaml": GRANTED}, by=scene.dev, branch="change")
    own = scene.shop.open_pull(scene.shop, "change", "main", by=updater.bot, title="A change")
    scene.judged()
    assert own.head_sha == branch
    own.label(LABEL, by=updater.bot, app=updater)
    scene.judged()
    scene.is_red(own)
    other = scene.open({"README.md": "y\n"})
    other.push({"compose.yaml": GRANTED}, by=updater.bot)
    scene.judged()
    other.label(LABEL, by=updater.bot, app=updater)
    scene.judged()
    scene.is_red(other)


def test_a_coauthor_behind_many(scene: Scene) -> None:
    """A maintainer is the last of very many co-authors of one commit, and labels.

    It stays red: GitHub lists so many, and who is beyond that is not ruled out.
    """
    pull = scene.open({"README.md": "y\n"})
    others = [scene.github.user(f"{scene.dev.login}-{n}") for n in range(25)]
    lines = [f"Co-authored-by: A <{one.email}>" for one in (*others, scene.mia)]
    message = "Add it\n\n" + "\n".join(lines) + "\n"
    pull.push({"compose.yaml": GRANTED}, by=scene.dev, message=message)
    scene.judged()
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_reason_in_the_description(stage: Stage) -> None:
    """The policy asks for a reason, and the only one is the author's, in the description.

    It turns green by the maintainer's label, and the check says where the reason comes from.
    """
    scene = stage.scene({POLICY: "require_reason: true\n"})
    pull = scene.shown_red()
    pull.edit(by=scene.dev, body="Reason: Traefik reads container labels.")
    scene.justify(pull)
    assert "in the description" in scene.said(pull)


def test_a_maintainer_is_quicker_than_the_clean_up(scene: Scene) -> None:
    """Right before a writer's label is taken off, a maintainer takes it off and puts it on.

    It stays on and turns green: only the label that was judged is taken off.
    """
    pull = scene.shown_red()

    def again() -> None:
        pull.unlabel(LABEL, by=scene.mia)
        pull.label(LABEL, by=scene.mia)

    scene.before("POST", "*/comments", again)
    pull.label(LABEL, by=scene.dev)
    scene.judged()
    assert pull.has_label(LABEL)
    scene.is_green(pull)
