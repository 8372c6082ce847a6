"""Random histories against a model of their own: nothing uncovered is green, nothing stays red.

The machine does what people, bots and GitHub do, in any order: pushes, forced pushes, labels,
changed bases, changed roles, a second pull request on the same head, deliveries out of order, twice
or never, requests that fail, and any of it in the middle of an evaluation. What ought to hold is
computed from what was done, never with `bot.gate`.

`HYPOTHESIS_PROFILE=thorough` plays for long, with other histories at every run.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot import wake
from bot.evaluate import Moved, evaluate
from bot.expand import expand
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.pace import Pace
from bot.gate.facts import CheckRun
from bot.publish.audit import Entry
from bot.pull import PullRef
from bot.wake import Target, Wake, WakePull, WakeRepository
from tests.github import Account, PullRequest, SmallGitHub
from tests.github.clock import Clock
from tests.github.hooks.deliveries import Delivery
from tests.github.log import LoggedRequest
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, MANIFEST

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
FILES = ("a", "b")  # each may hand over the socket, by a service of its own
RUN = "docker run -v /var/run/docker.sock:/var/run/docker.sock acme/agent\n"
ALIKE = frozenset("cd")  # the same command once, and twice, in one script
POLICY = ".github/sockgate.yml"
MOST_JOBS = 400  # that a history may take to come to rest

Grants = frozenset[str]
some_grants = st.sampled_from(
    [frozenset(letters) for letters in ("", "a", "b", "ab", "c", "cd", "acd")]
)
writers = st.sampled_from(["dev", "mia"])
branches = st.sampled_from(["main", "own"])
picks = st.integers(0, 999).map(Random)
people = st.sampled_from(["mia", "mia", "mia", "dev", "ann", "tess", "bot", "assistant"])


class _Still(Clock):
    """Time that passes only where a history says so: else no history could be played twice."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.time()

    def time(self) -> float:
        return self._began + self._ahead


class _World:
    """One small GitHub for all histories, each with an organisation of its own."""

    def __init__(self) -> None:
        self.github = SmallGitHub()
        self.github.clock = _Still()
        self.github.start()
        self.github.webhooks.hold()
        self.app = self.github.app(
            "sockgate",
            permissions=MANIFEST["default_permissions"],
            events=MANIFEST["default_events"],
        )
        self.forge = GitHub(self.app.id, self.app.private_key, self.github.url, pace=Pace(0, 0, 0))
        self.histories = 0
        self.steps = 0


_worlds: list[_World] = []


@pytest.fixture(autouse=True)
def world() -> Iterator[None]:
    _worlds.append(_World())
    yield
    one = _worlds.pop()
    one.github.stop()
    if THOROUGH:
        sys.stdout.write(f"{one.histories} histories, {one.steps} steps\n")
    assert one.github.violations == [], "\n".join(one.github.violations)


@dataclass(eq=False, slots=True)
class Act:
    """A label put on, and what our page showed right before."""

    by: str
    covers: Grants
    good: bool = False  # there was a moment at which it was on, and its actor had the right


@dataclass(eq=False, slots=True)
class Known:
    """What the model knows of one pull request."""

    pull: PullRequest
    heads: set[str]
    act: Act | None = None  # None while the label is off
    justified: set[str] = field(default_factory=set)  # by any good act so far


class Remembered:
    """What the database keeps, in memory."""

    def __init__(self, *, forgetful: bool) -> None:
        self._forgetful = forgetful
        self._runs: dict[PullRef, dict[int, CheckRun]] = {}

    def checks(self, pull: PullRef) -> tuple[CheckRun, ...]:
        return () if self._forgetful else tuple(self._runs.get(pull, {}).values())

    def remember(self, pull: PullRef, runs: Iterable[CheckRun]) -> None:
        kept = self._runs.setdefault(pull, {})
        for run in runs:
            kept.setdefault(run.id, run)

    def record(self, entry: Entry) -> None:
        pass


class Gate(RuleBasedStateMachine):
    """One repository and everything that happens to it."""

    @initialize(
        forgetful=st.booleans(), grants=some_grants, by=writers, onto=branches, base=branches
    )
    def begin(self, forgetful: bool, grants: Grants, by: str, onto: str, base: str) -> None:  # noqa: FBT001 - drawn
        world = _worlds[-1]
        world.histories += 1
        github = self.github = world.github
        github.webhooks.pending.clear()
        github.faults.clear()
        self.forge, self.app = world.forge, world.app
        number = world.histories
        self.accounts: dict[str, Account] = {
            name: github.user(f"{name}-{number}") for name in ("dev", "mia", "ann", "tess", "boss")
        }
        self.accounts["bot"] = github.bot("robot")
        self.assistant = github.app("assistant")
        org = github.organization(f"acme-{number}")
        self.shop = org.repository("shop", {f"{one}/compose.yaml": COMPOSE for one in FILES})
        self.needed = "maintain"  # the role that the policy asks for
        for name, role in (("dev", "write"), ("mia", "maintain"), ("ann", "admin")):
            self.shop.add_collaborator(self.accounts[name], role)
        self.shop.add_collaborator(self.accounts["tess"], "triage")
        self.shop.commit({"a/compose.yaml": GRANTED}, by=self.accounts["dev"], branch="own")
        self.installation = self.app.install(org).id
        self.memory = Remembered(forgetful=forgetful)
        self.jobs: list[Target] = []
        self.stale = False  # a delivery was lost, or something changed that GitHub tells nobody
        self.grants: dict[str, Grants] = {}  # of each head
        self.writers: dict[str, frozenset[str]] = {}  # of the commits behind it
        self.known: list[Known] = []
        self.of_closed_ones: set[str] = set()
        parent = self.shop.branches[onto]
        self._commit(grants, by, (parent,), frozenset({"dev"} if onto == "own" else ()))
        self._open(base)
        github.webhooks.pending[:] = [
            d for d in github.webhooks.pending if d.event != "installation"
        ]

    # What people do ------------------------------------------------------------------------------

    @rule(
        grants=some_grants,
        by=writers,
        onto=st.just("") | branches,
    )
    def push(self, grants: Grants, by: str, onto: str) -> None:
        self._push(grants, by, onto)

    @rule(pick=picks)
    def push_back(self, pick: Random) -> None:
        head = pick.choice(list(self.grants))
        self.shop.push("change", head, by=self.accounts["dev"])
        self._moved()

    @rule(pick=picks, by=people)
    def label(self, pick: Random, by: str) -> None:
        self._label(pick.choice(self.known), by)

    @rule(pick=picks, by=people)
    def unlabel(self, pick: Random, by: str) -> None:
        self._unlabel(pick.choice(self.known), by)

    @rule(pick=picks, what=st.sampled_from(["retarget", "retarget", "open another", "close"]))
    def point_elsewhere(self, pick: Random, what: str) -> None:
        """Change what is asked for; GitHub allows one pull request for each pair of branches."""
        dev, one = self.accounts["dev"], pick.choice(self.known)
        free = {"main", "own"} - {each.pull.base_branch for each in self.known}
        if what == "close" and len(self.known) > 1:
            self.known.remove(one)
            self.of_closed_ones |= one.justified
            one.pull.close(by=dev)
        elif what == "retarget" and free:
            one.pull.edit(by=dev, base=free.pop())
        elif free:
            self._open(free.pop())

    @rule(role=st.sampled_from(["maintain", "maintain", "write", "admin"]))
    def change_role(self, role: str) -> None:
        self.shop.add_collaborator(self.accounts["mia"], role)
        self.stale = True
        self._look()

    @rule(role=st.sampled_from(["maintain", "admin"]))
    def change_policy(self, role: str) -> None:
        if role != self.needed:
            self.needed = role
            self.shop.commit({POLICY: f"role: {role}\n"}, by=self.accounts["boss"])
            self._look()

    @rule()
    def time_passes(self) -> None:
        self.github.clock.advance(1)

    # What GitHub does ----------------------------------------------------------------------------

    @rule(pick=picks, how=st.sampled_from(["at once", "at once", "later", "twice", "never"]))
    def deliver(self, pick: Random, how: str) -> None:
        waiting = self._wakes()
        if not waiting:
            return
        delivery, target = pick.choice(waiting)
        if how != "twice":
            self.github.webhooks.pending.remove(delivery)
        if how == "never":
            self.stale = True
            return
        self.jobs.append(target)
        if how == "at once":
            self._work(self.jobs.pop(), pick)

    @rule(
        where=st.sampled_from(
            [
                ("POST", "/graphql"),
                ("POST", "*/check-runs"),
                ("POST", "*/reviews"),
                ("POST", "*/comments"),
                ("DELETE", "*/labels/*"),
                ("GET", "*/permission"),
            ]
        ),
        after=st.booleans(),
    )
    def fail(self, where: tuple[str, str], after: bool) -> None:  # noqa: FBT001 - drawn
        method, path = where
        status = 403 if method == "GET" else 502  # what passes is asked for again
        self.github.faults.add(method, path, status=status, times=1, after=after)
        self.stale |= status == 403

    # What we do ----------------------------------------------------------------------------------

    @precondition(lambda self: self.jobs)
    @rule(
        pick=picks,
        request=st.integers(0, 9),
        what=st.sampled_from(["push", "label", "unlabel", "force", "role", "second"]),
        grants=some_grants,
        by=people,
    )
    def work_while(self, pick: Random, request: int, what: str, grants: Grants, by: str) -> None:
        """Let something happen right before one of the requests of an evaluation is answered."""
        one = pick.choice(self.known)
        doing: dict[str, Callable[[], None]] = {
            "push": lambda: self._push(grants, "dev"),
            "force": lambda: self._push(grants, "dev", "main"),
            "label": lambda: self._label(one, by),
            "unlabel": lambda: self._unlabel(one, by),
            "role": lambda: self.change_role("write"),
            "second": lambda: self.point_elsewhere(pick, "open another"),
        }
        left = [request]

        def come(_: LoggedRequest) -> bool:
            left[0] -= 1
            if left[0] == -1:
                doing[what]()
            return False

        fault = self.github.faults.add(which=come)
        try:
            self._work(self.jobs.pop(pick.randrange(len(self.jobs))), pick)
        finally:
            self.github.faults.remove(fault)

    @rule(pick=picks, then=st.sampled_from(["nothing", "mia labels", "ann labels"]))
    def come_to_rest(self, pick: Random, then: str) -> None:
        """Deliver everything; then what is held is what the present says, and nothing older."""
        self._rest(pick)
        if then != "nothing":
            self.github.clock.advance(2)
            self._label(pick.choice(self.known), then.removesuffix(" labels"))
            self._rest(pick)
        for one in self.known:
            green = self._mergeable(one)
            held = self.grants[one.pull.head_sha]
            assert green or held, f"red for ever: {one.pull} has nothing to justify"
            if green:
                assert all(self._covered_now(other) for other in self.known), one.pull

    @rule(pick=picks)
    def justify_properly(self, pick: Random) -> None:
        """Let a maintainer who wrote nothing label what is shown: it always helps."""
        self._rest(pick)
        self.github.clock.advance(2)
        for one in self.known:
            self._unlabel(one, "ann")
        self._rest(pick)
        self.github.clock.advance(2)
        for one in self.known:
            self._label(one, "ann")
        self._rest(pick)
        for one in self.known:
            assert self._mergeable(one), f"red for ever: {one.pull}"

    def teardown(self) -> None:
        """End every history with a label that may be good, and one that is."""
        if getattr(self, "known", None) and not sys.exc_info()[0]:
            self.change_role("maintain")
            self.change_policy("maintain")
            self.come_to_rest(Random(0), "mia labels")
            self.justify_properly(Random(0))

    # What always holds ---------------------------------------------------------------------------

    @invariant()
    def nothing_uncovered_is_green(self) -> None:
        """A green head has nothing that a good label was not put on for, in one of its requests.

        A check belongs to a commit: until GitHub's event about a second pull request is there, the
        check on its head is that of the first.
        """
        _worlds[-1].steps += 1
        justified = self.of_closed_ones.union(*(one.justified for one in self.known))
        for one in self.known:
            if self._mergeable(one):
                assert self.grants[one.pull.head_sha] <= justified, one.pull

    # ---------------------------------------------------------------------------------------------

    def _mergeable(self, one: Known) -> bool:
        return self.github.mergeable(one.pull, required=[(CHECK, self.app)])

    def _commit(
        self, grants: Grants, by: str, parents: tuple[str, ...], writers: frozenset[str]
    ) -> str:
        files = {f"{one}/compose.yaml": GRANTED if one in grants else COMPOSE for one in FILES}
        files["deploy.sh"] = "#!/bin/sh\n" + RUN * len(grants & ALIKE)
        account = self.accounts[by]
        sha = self.shop.write(files, parents=parents, author=account, committer=account)
        self.grants[sha], self.writers[sha] = grants, writers | {by}
        self.shop.push("change", sha, by=account)
        return sha

    def _push(self, grants: Grants, by: str, onto: str = "") -> None:
        """Push one more commit, or with `onto` one that replaces all others, on a branch."""
        head = self.shop.branches["change"]
        parent = self.shop.branches[onto] if onto else head
        writers = frozenset({"dev"}) if onto == "own" else frozenset()
        self._commit(grants, by, (parent,), writers if onto else self.writers[head])
        self._moved()

    def _moved(self) -> None:
        for one in self.known:
            one.heads.add(one.pull.head_sha)
        self._look()

    def _open(self, base: str) -> None:
        pull = self.shop.open_pull(
            self.shop, "change", base, by=self.accounts["dev"], title="A change"
        )
        self.known.append(Known(pull, {pull.head_sha}))

    def _label(self, one: Known, by: str) -> None:
        if one.pull.has_label(LABEL):
            return
        through = self.assistant if by == "assistant" else None
        covers = self._shown(one)
        one.pull.label(LABEL, by=self.accounts["ann" if through else by], app=through)
        one.act = Act(by, covers)
        self._look()

    def _unlabel(self, one: Known, by: str) -> None:
        if one.pull.has_label(LABEL):
            one.pull.unlabel(LABEL, by=self.accounts.get(by, self.accounts["dev"]))
        one.act = None

    def _shown(self, one: Known) -> Grants:
        """What our newest page on this pull request shows, if it is older than this second."""
        now = self.github.clock.now()
        runs = [
            run
            for sha in one.heads
            for run in self.shop.check_runs(sha)
            if run.app is self.app and run.completed_at is not None and run.completed_at < now
        ]
        newest = max(runs, key=lambda run: (run.completed_at, run.id), default=None)
        return self.grants[newest.sha] if newest is not None else frozenset()

    def _look(self) -> None:
        """Note which labels are good at this moment."""
        for one in self.known:
            if one.act is not None and self._has_the_right(one, one.act):
                one.act.good = True
                one.justified |= one.act.covers

    def _has_the_right(self, one: Known, act: Act) -> bool:
        """A person, with the role now, who wrote nothing of it."""
        if act.by not in {"mia", "ann"} or act.by in self.writers[one.pull.head_sha]:
            return False
        return self.shop.may(self.accounts[act.by], self.needed)

    def _covered_now(self, one: Known) -> bool:
        held = self.grants[one.pull.head_sha]
        if not held:
            return True
        act = one.act
        if act is None or not one.pull.has_label(LABEL):
            return False
        return self._has_the_right(one, act) and held <= act.covers

    def _wakes(self) -> list[tuple[Delivery, Target]]:
        """The deliveries that ask for something, with what they ask for."""
        own = self.app.bot.login
        found = []
        for one in list(self.github.webhooks.pending):
            read = wake.read(one.headers, one.body, [self.app.secret], own)
            if isinstance(read, Wake):
                found.append((one, read.target))
            else:
                self.github.webhooks.pending.remove(one)
        return found

    def _work(self, target: Target, pick: Random) -> None:
        """Do one job as the queue does: again what failed in passing, or found the head moved."""
        self.github.clock.advance(pick.choice((0, 1, 2)))
        try:
            if isinstance(target, WakePull):
                outcome = evaluate(
                    self.forge,
                    target.pull,
                    memory=self.memory,
                    now=self.github.clock.now,
                    pause=lambda _: None,
                )
                if isinstance(outcome, Moved):
                    self.jobs.append(target)
            else:
                self.jobs += [WakePull(pull) for pull in expand(self.forge, target)]
        except ForgeError as error:
            if not error.retry:
                raise
            self.jobs.append(target)
            self.github.clock.advance(1)
        for one in self.known:
            if not one.pull.has_label(LABEL):  # we took it off
                one.act = None

    def _rest(self, pick: Random) -> None:
        self.github.faults.clear()
        for _ in range(MOST_JOBS):
            waiting = self._wakes()
            if waiting and (not self.jobs or pick.random() < 0.5):
                delivery, target = pick.choice(waiting)
                self.github.webhooks.pending.remove(delivery)
                self.jobs.append(target)
            elif self.jobs:
                self._work(self.jobs.pop(pick.randrange(len(self.jobs))), pick)
            elif self.stale:  # what a sweep finds
                self.stale = False
                at = wake.Repository(self.installation, self.shop.owner.login, self.shop.name)
                self.jobs.append(WakeRepository(at))
            else:
                return
        raise AssertionError("it does not come to rest")


Gate.TestCase.settings = settings(
    max_examples=600 if THOROUGH else 24,
    stateful_step_count=40 if THOROUGH else 12,
    deadline=None,
    derandomize=not THOROUGH,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TestGate = Gate.TestCase
