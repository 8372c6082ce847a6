"""Which options of container clients take a value, and how to read them.

Sources: Docker CLI reference (`docker`, `container run`, `service create`, `compose run`), Podman's
podman(1), podman-run(1), podman-build(1), nerdctl's command reference. An option that no table
knows takes a value unless the next word is an option.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.detect.patterns import pattern
from bot.detect.shell.pieces import Arg


def names(text: str) -> frozenset[str]:
    """Return the names that a text lists."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Syntax:
    """The options of one command."""

    switches: frozenset[str]  # long options without a value
    short_switches: frozenset[str]  # letters without a value


class Option(NamedTuple):
    """One option as given: `--user 1000`, `--user=1000`, `-u1000`."""

    name: str  # "-u" or "--user"
    value: Arg | None
    flag: Arg  # the word that holds the name
    apart: bool = False  # the value is a word of its own

    @property
    def written(self) -> str:
        """The option as it stands there."""
        if self.value is None or not self.apart:
            return self.flag.text
        return f"{self.flag.text} {self.value.text}"


RUN = Syntax(
    names(
        "--detach --interactive --tty --rm --privileged --read-only --init --no-healthcheck"
        " --oom-kill-disable --publish-all --sig-proxy --disable-content-trust --quiet --help"
        " --use-api-socket --replace --tls-verify --no-hosts --env-host --http-proxy --rmi"
        " --rootfs --read-only-tmpfs --no-hostname --passwd --all --verify --service-ports"
        " --no-deps --build --no-tty --no-TTY --use-aliases --remove-orphans --quiet-pull"
        " --quiet-build --compress --force-rm --no-cache --pull-always --squash --layers"
        " --no-resolve-image --with-registry-auth --insecure --force --rollback --infra"
        " --share-parent"
    ),
    frozenset("ditPqT"),
)
DOCKER = Syntax(
    names("--debug --tls --tlsverify --version --help --verbose --compatibility"),
    frozenset("Dv"),
)
PODMAN = Syntax(
    names("--remote --noout --syslog --trace --help --version --transient-store"),
    frozenset("rv"),
)
NERDCTL = Syntax(
    names("--debug --debug-full --insecure-registry --experimental --version"),
    frozenset(),
)

BUILD = Syntax(RUN.switches | {"--pull", "--load", "--push"}, frozenset("q"))
EXEC = Syntax(
    names("--detach --interactive --tty --privileged --no-TTY --latest"),
    frozenset("ditTl"),
)


class Options:
    """Reads options from the front of a command's words; what follows is `rest`."""

    def __init__(self, words: Sequence[Arg], syntax: Syntax, *, interspersed: bool = False) -> None:
        self.given: list[Option] = []
        self._interspersed = interspersed  # options may follow arguments
        self.rest: tuple[Arg, ...] = ()
        self._words = words
        self._syntax = syntax
        self._at = 0
        self._read()

    def all(self, *names: str) -> Iterator[Option]:
        """Return the options with one of these names, in order."""
        return (option for option in self.given if option.name in names)

    def has(self, *names: str) -> bool:
        """Tell whether one of these switches is on."""
        for option in self.given:
            if option.name in names and (
                option.value is None or option.value.text.lower() not in {"false", "0"}
            ):
                return True
        return False

    def _read(self) -> None:
        words = self._words
        arguments: list[Arg] = []
        while self._at < len(words):
            word = words[self._at]
            text = word.text
            if text == "--":
                self._at += 1
                break
            if text.startswith("--"):
                self._long(word)
            elif len(text) > 1 and text[0] == "-":
                self._short(word)
            elif self._interspersed:
                arguments.append(word)
            elif self._skipped(word):
                pass
            else:
                break
            self._at += 1
        self.rest = (*arguments, *words[self._at :])

    def _skipped(self, word: Arg) -> bool:
        """Tell whether an unknown value stands for options rather than for the image."""
        if not word.text:
            return True
        if not (word.opaque or (word.text[0] == "$" and _VARIABLE.fullmatch(word.text))):
            return False
        after = self._words[self._at + 1 :]
        if not after:
            return False
        name = word.text.upper()
        if any(part in name for part in ("IMAGE", "IMG", "REPO", "REGISTRY")):
            return False
        if any(part in name for part in _MEAN_OPTIONS) or after[0].text.startswith("-"):
            return True
        return any(_mounts(other.text) for other in after)

    def _long(self, word: Arg) -> None:
        name, equals, _ = word.text.partition("=")
        if equals:
            self.given.append(Option(name, word.tail(len(name) + 1), word))
        elif name in self._syntax.switches:
            self.given.append(Option(name, None, word))
        else:
            self.given.append(Option(name, self._value(), word, apart=True))

    def _short(self, word: Arg) -> None:
        """Read `-v S:T`, `-vS:T`, `-v=S:T`, `-itv S:T`."""
        text = word.text
        for number in range(1, len(text)):
            name = "-" + text[number]
            if text[number] in self._syntax.short_switches:
                self.given.append(Option(name, None, word))
                continue
            start = number + 1 + text.startswith("=", number + 1)
            apart = start >= len(text)
            value = self._value() if apart else word.tail(start)
            self.given.append(Option(name, value, word, apart))
            return

    def _value(self) -> Arg | None:
        if self._at + 1 >= len(self._words):
            return None
        value = self._words[self._at + 1]
        if _LOOKS_LIKE_OPTION.fullmatch(value.text):
            return None
        self._at += 1
        return value


_VARIABLE = pattern(r"\$\{\w+\}")  # of a Makefile, in the value of another one
_LOOKS_LIKE_OPTION = pattern(r"-[^\s\d]\S*")
_MEAN_OPTIONS = names("OPT ARG FLAG VOL MOUNT PARAM EXTRA ENV NET TTY $@ $*")


def _mounts(text: str) -> bool:
    return text in {"-v", "--volume", "--mount"} or text.startswith(("--volume=", "--mount="))
