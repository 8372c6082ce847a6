"""A small GitHub with many pull requests, each with a life of its own, and what has to come of it.

Nothing here asks the server what is right: each life says what its check, its comments and its
label have to be in the end.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.github import App, PullRequest, Repository, SmallGitHub
from tests.github.model.comments import Thread
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, MANIFEST, MORE


@dataclass(frozen=True, slots=True)
class End:
    """What a pull request looks like when all is done."""

    conclusion: str
    comments: int = 0  # of ours, on lines
    open_comments: int = 0  # of these, those that are not marked as resolved
    label: bool = False
    answers: int = 0  # of ours, below: why a label came off


@dataclass(slots=True)
class Life:
    """One pull request: steps that each wait for what the one before led to."""

    end: End
    steps: list[Callable[["Life"], bool]] = field(default_factory=list)  # false: not yet
    pull: PullRequest | None = None


class Town:
    """All of it. `seed` decides who lives how."""

    def __init__(self, github: SmallGitHub, number: int, seed: int) -> None:
        self.github = github
        self.mia, self.dev = github.user("mia"), github.user("dev")
        acme = github.organization("acme")
        self.shop: Repository = acme.repository("shop", {"compose.yaml": COMPOSE, "a.md": "x\n"})
        self.shop.add_collaborator(self.mia, "maintain")
        self.shop.add_collaborator(self.dev, "write")
        self.app: App = github.app(
            "sockgate",
            permissions=MANIFEST["default_permissions"],
            events=MANIFEST["default_events"],
            webhook_url="http://127.0.0.1:9/webhook",  # nobody there yet
        )
        self.app.install(acme)
        self._random = random.Random(seed)
        ways = (self._worse, self._justified, self._mended, self._held, self._harmless)
        self.lives = [ways[n % len(ways)](n) for n in range(number)]
        self._random.shuffle(self.lives)

    # The lives ------------------------------------------------------------------------------------

    def _harmless(self, n: int) -> Life:
        return Life(End("success"), [self._open({"a.md": f"{n}\n"})])

    def _held(self, n: int) -> Life:
        return Life(
            End("failure", comments=1, open_comments=1),
            [self._open({"compose.yaml": GRANTED, "a.md": f"{n}\n"})],
        )

    def _justified(self, n: int) -> Life:
        return Life(
            End("success", comments=1, open_comments=1, label=True),
            [self._open({"compose.yaml": GRANTED, "a.md": f"{n}\n"}), self._label],
        )

    def _mended(self, n: int) -> Life:
        return Life(
            End("success", comments=1),
            [
                self._open({"compose.yaml": GRANTED, "a.md": f"{n}\n"}),
                self._push({"compose.yaml": COMPOSE}, after="failure"),
            ],
        )

    def _worse(self, n: int) -> Life:
        """Justified, and then more is pushed: the label comes off, and is answered once."""
        return Life(
            End("failure", comments=2, open_comments=2, answers=1),
            [
                self._open({"compose.yaml": GRANTED, "a.md": f"{n}\n"}),
                self._label,
                self._push({"compose.yaml": MORE}, after="success"),
            ],
        )

    def _open(self, files: dict[str, str]) -> Callable[[Life], bool]:
        def step(life: Life) -> bool:
            life.pull = self.shop.pull(files, by=self.dev, title="A change")
            return True

        return step

    def _label(self, life: Life) -> bool:
        if not self._is(life, "failure") or self._commented(life) < 1:
            return False
        self.github.clock.advance(2)  # not within the second in which the check was shown
        assert life.pull is not None
        life.pull.label(LABEL, by=self.mia)
        return True

    def _push(self, files: dict[str, str], after: str) -> Callable[[Life], bool]:
        def step(life: Life) -> bool:
            if not self._is(life, after) or self._commented(life) < 1:
                return False
            self.github.clock.advance(2)
            assert life.pull is not None
            life.pull.push(files, by=self.dev)
            return True

        return step

    def _is(self, life: Life, conclusion: str) -> bool:
        run = life.pull.check(CHECK, self.app) if life.pull else None
        return run is not None and run.conclusion == conclusion

    def _commented(self, life: Life) -> int:
        return len(life.pull.threads) if life.pull else 0

    # The course of things -------------------------------------------------------------------------

    def go_on(self, most: int) -> int:
        """Let up to `most` things happen that can happen now; return how many did."""
        done = 0
        order = [life for life in self.lives if life.steps]
        self._random.shuffle(order)
        for life in order:
            if done == most:
                break
            with self.github.changed:
                happened = life.steps[0](life)
            if happened:
                life.steps.pop(0)
                done += 1
        return done

    @property
    def left(self) -> int:
        """Return how many things are still to happen."""
        return sum(len(life.steps) for life in self.lives)

    def wrong(self) -> list[str]:
        """Say of each pull request what is not as it has to be."""
        with self.github.changed:
            return [problem for life in self.lives for problem in self._wrong(life)]

    def _wrong(self, life: Life) -> Iterator[str]:
        pull, end = life.pull, life.end
        if pull is None or life.steps:
            yield "not at its end"
            return
        run = pull.check(CHECK, self.app)
        found = {
            "conclusion": (run.conclusion if run else None, end.conclusion),
            "comments": (len(pull.threads), end.comments),
            "open comments": (sum(map(_is_open, pull.threads)), end.open_comments),
            "label": (pull.has_label(LABEL), end.label),
            "answers": (len([c for c in pull.comments if c.author is self.app.bot]), end.answers),
        }
        for name, (seen, wanted) in found.items():
            if seen != wanted:
                yield f"#{pull.number}: {name} {seen}, not {wanted}"


def _is_open(thread: Thread) -> bool:
    return not thread.comments[0].body.startswith("**Resolved.**")
