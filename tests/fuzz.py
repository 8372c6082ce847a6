"""Mutated real files through every format: no exception, no hang. Run by hand.

python -m tests.fuzz SECONDS [FOLDER...] [SEED]: the cases, and the files of each folder given. What
fails is printed with its seed, which alone makes the input again: a number as the last argument.
"""

import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bot.detect.engine import detect
from bot.detect.source import DictSource
from bot.review.compare import in_scope
from tests.cases import CASES

HANG = 20  # seconds that no input may take
_LARGEST = 60_000  # bytes of a file that is mutated: larger ones only make the run slow
_HOSTILE = (
    b"\0", b"\r", b"\f", b"\xff\xfe", b"\xef\xbb\xbf", "\u2028".encode(), "\u0085".encode(),
    b"&a", b"*a", b"<<: *a", b"<<: [*a, *a]", b"!reset", b"!override []", b"!!binary x", b"? ",
    b"- - - -", b"---\n", b"...\n", b"|\n", b">-\n", b"%YAML 9\n", b"\t", b"{{", b"}}", b"{%",
    b"${", b"${X:-${X:-", b"$((", b"`", b"<<EOF\n", b"<<'", b"'", b'"', b"'''", b'"""', b"[" * 400,
    b"{" * 400, b"(" * 400, b"$(" * 400, b"\\", b"\\\n", b"]", b"}", b")", b":", b"#", b"//", b"/*",
    b"/var/run/docker.sock", b"/var/run/docker.sock:/var/run/docker.sock", b"DOCKER_HOST=", b"-v ",
    b"docker run -v /var/run/docker.sock:/s x", b"1e999", b"0x", b"9" * 5000, b".inf", b"null",
    b"extends: {file: compose.yaml, service: a}", b"include: [compose.yaml]", b"RUN --mount=",
    b"FROM a", b"2001-99-99", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"/", b"tcp://", b"unix://",
)  # fmt: skip


@dataclass(slots=True)
class Report:
    """What a run saw."""

    inputs: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


class _HungError(BaseException):
    """Not an Exception: nothing that guards a parser may swallow it."""


def corpus(folders: Sequence[Path]) -> dict[str, dict[str, bytes]]:
    """Return each tree by name: a head/ folder of a case, or a folder given."""
    tops = sorted(CASES.glob("*/*/head")) + list(folders)
    trees = {}
    for top in tops:
        files = {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
        if files:
            trees[str(top)] = files
    return trees


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Cut, double, swap or insert, at the level of lines and of characters, a few times."""
    for _ in range(rng.choice((1, 1, 2, 3, 6, 12))):
        lines = rng.random() < 0.6
        parts: list[bytes] = (
            data.splitlines(keepends=True) if lines else [bytes((b,)) for b in data]
        )
        at, other = (rng.randrange(len(parts) + 1) for _ in range(2))
        low, high = min(at, other), max(at, other)
        high = min(high, low + rng.choice((1, 2, 5, 40)))
        match rng.randrange(6):
            case 0:
                del parts[low:high]
            case 1:
                parts[low:low] = parts[low:high] * rng.choice((1, 1, 2, 50))
            case 2 if high < len(parts):
                parts[low], parts[high] = parts[high], parts[low]
            case 3:
                parts[at:at] = [b" " * rng.choice((1, 2, 4, 9))]
            case 4:
                del parts[at:]
            case _:
                parts[at:at] = [rng.choice(_HOSTILE)]
        data = b"".join(parts)[: 4 * _LARGEST]
    return data


def fuzz(
    trees: Mapping[str, Mapping[str, bytes]], seeds: Iterator[int], go_on: Callable[[], bool]
) -> Report:
    """Detect on one mutated file a seed, under its own name and beside its own neighbours."""
    report = Report()
    names = [
        (top, path)
        for top, files in trees.items()
        for path, data in files.items()
        if in_scope(path) and len(data) <= _LARGEST
    ]
    signal.signal(signal.SIGALRM, _hung)
    while go_on() and (seed := next(seeds, None)) is not None:
        rng = random.Random(seed)
        top, path = rng.choice(names)
        files = dict(trees[top]) | {path: mutated(trees[top][path], rng)}
        signal.alarm(HANG)
        started = time.monotonic()
        try:
            report.formats.update(detect(path, DictSource(files)).formats)
        except (Exception, _HungError):  # noqa: BLE001 - whatever it is, it is the finding
            report.failures.append(f"seed {seed}: {top} {path}\n{traceback.format_exc()}")
        finally:
            signal.alarm(0)
        report.inputs += 1
        report.slowest = max(
            report.slowest, (time.monotonic() - started, f"seed {seed}: {top} {path}")
        )
    return report


def _hung(_number: int, _frame: FrameType | None) -> None:
    raise _HungError


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    seconds, rest = float(arguments[0]), list(arguments[1:])
    one = int(rest.pop()) if rest and rest[-1].isdigit() else None
    end = time.monotonic() + seconds
    first = random.SystemRandom().randrange(10**9)
    seeds = iter((one,) if one is not None else range(first, first + 10**9))
    report = fuzz(corpus([Path(name) for name in rest]), seeds, lambda: time.monotonic() < end)
    for failure in report.failures:
        sys.stdout.write(f"{failure}\n")
    read = ", ".join(f"{name} {count}" for name, count in report.formats.most_common())
    sys.stdout.write(
        f"{report.inputs} inputs from seed {first if one is None else one}, "
        f"{len(report.failures)} failures\n"
        f"slowest {report.slowest[0]:.1f} s, {report.slowest[1]}\nread as: {read}\n"
    )
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
