"""How fast detection reads a large tree, beside what others do in the same run: `make bench`.

python -m tests.bench [FOLDER...]: the folders, or the files of the cases several times over.
TOOLS="compose-lint semgrep checkov" also measures those, each installed from its package into
.tools/bench; all of them, and sockgate once more, then read the same compose files and only these,
each in one process. None but compose-lint knows a socket by itself: semgrep is given a rule,
checkov a check. Seconds are of the processor, so that a machine that does other things hardly
matters; what a program needs only to start is told apart at the end.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cases import CASES

TOP = Path(__file__).parent.parent
BENCH = TOP / ".tools" / "bench"
_FILES = 3_000
_STARTS = 5
_PATIENCE = 900  # seconds for one program
_SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
_LARGE = 5_000_000  # bytes of one file in which everything matches
_RULE = """\
rules:
  - id: socket
    languages: [yaml]
    severity: ERROR
    message: the socket is mounted
    patterns:
      - pattern-inside: |
          volumes:
            ...
      - pattern-regex: docker\\.sock
"""
_CHECK = """\
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.yaml_doc.base_yaml_check import BaseYamlCheck
from checkov.yaml_doc.enums import BlockType


class Socket(BaseYamlCheck):
    def __init__(self):
        super().__init__(
            name="the socket is mounted", id="CKV_SOCKET_1",
            categories=[CheckCategories.GENERAL_SECURITY],
            supported_entities=["services.*.volumes[]"], block_type=BlockType.ARRAY,
        )

    def scan_entity_conf(self, conf, entity_type=None):
        found = "docker.sock" in str(conf)
        return (CheckResult.FAILED if found else CheckResult.PASSED), conf


check = Socket()
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One program over one set of files."""

    name: str
    seconds: float  # of the processor
    files: int
    size: int  # bytes
    findings: int | None  # None where its answer could not be read


def _timed(command: Sequence[str | Path], folder: Path) -> tuple[float, float, str]:
    """Return the processor's seconds, the clock's, and what it printed, whatever its exit code.

    Raises subprocess.TimeoutExpired.
    """
    environment = os.environ | {
        "SEMGREP_SEND_METRICS": "off", "SEMGREP_ENABLE_VERSION_CHECK": "0",
        "CHECKOV_PARALLELIZATION_TYPE": "none", "PYTHONPATH": str(TOP), "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment,
        capture_output=True, text=True, check=False, timeout=_PATIENCE,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return processor, time.monotonic() - started, done.stdout


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _sockgate(folder: Path, name: str = "sockgate scan") -> Run:
    seconds, _, output = _timed(_python("bot.cli", "scan", ".", "--format", "json"), folder)
    return _run(name, seconds, folder, len(json.loads(output)["findings"]))


def _run(name: str, seconds: float, folder: Path, findings: int | None) -> Run:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return Run(name, seconds, len(files), sum(path.stat().st_size for path in files), findings)


def _compose_lint(folder: Path) -> Run:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    seconds, _, output = _timed(
        [BENCH / "compose-lint/bin/compose-lint", "--format", "json", *files], folder
    )
    return _run("compose-lint", seconds, folder, output.count('"CL-0001"'))


def _semgrep(folder: Path) -> Run:
    with tempfile.TemporaryDirectory() as elsewhere:
        rule = Path(elsewhere, "rule.yaml")
        rule.write_text(_RULE, "utf-8")
        command: list[str | Path] = [
            BENCH / "semgrep/bin/semgrep", "scan", "--config", rule, "--json", "--metrics=off",
            "--no-git-ignore", "--jobs=1", "--quiet", ".",
        ]  # fmt: skip
        # It starts its own engine by name.
        path = f"PATH={BENCH / 'semgrep/bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        seconds, _, output = _timed(["env", path, *command], folder)
    return _run("semgrep", seconds, folder, _count(output, "results"))


def _checkov(folder: Path) -> Run:
    """Run its YAML framework only: it has none for Compose files."""
    with tempfile.TemporaryDirectory() as elsewhere:
        Path(elsewhere, "__init__.py").touch()
        Path(elsewhere, "socket_mounted.py").write_text(_CHECK, "utf-8")
        command: list[str | Path] = [
            BENCH / "checkov/bin/checkov", "-d", ".", "-o", "json", "--compact", "--quiet",
            "--skip-download", "--framework", "yaml", "--external-checks-dir", elsewhere,
        ]  # fmt: skip
        seconds, _, output = _timed(command, folder)
    return _run("checkov", seconds, folder, output.count('"CKV_SOCKET_1"'))


def _count(output: str, key: str) -> int | None:
    try:
        return len(json.loads(output)[key])
    except (ValueError, KeyError, TypeError):
        return None


_TOOLS = {"compose-lint": _compose_lint, "semgrep": _semgrep, "checkov": _checkov}


def _install(tool: str) -> None:
    """Put the tool's package into an environment of its own, once."""
    where = BENCH / tool
    if (where / "bin" / tool).exists():
        return
    sys.stderr.write(f"installing {tool} into .tools/bench/{tool}\n")
    subprocess.run([sys.executable, "-m", "venv", where], check=True)
    subprocess.run([where / "bin" / "pip", "install", "--quiet", tool], check=True)


def _tree(folder: Path) -> None:
    """Lay out the head files of the cases again and again."""
    heads = sorted(CASES.glob("*/*/head"))
    written, copy = 0, 0
    while written < _FILES:
        for head in heads:
            to = folder / str(copy) / head.parent.parent.name / head.parent.name
            shutil.copytree(head, to, symlinks=True)
            written += sum(1 for path in head.rglob("*") if path.is_file())
        copy += 1


def _compose_files(folders: Sequence[Path], to: Path) -> int:
    """Copy each file that is called like a compose file, each into a folder of its own."""
    found = 0
    for folder in folders:
        for path in sorted(folder.rglob("*compose*.y*ml")):
            if path.is_file() and not path.is_symlink():
                here = to / str(found)
                here.mkdir()
                shutil.copyfile(path, here / "docker-compose.yml")
                found += 1
    return found


def _large() -> dict[str, str]:
    """Return files by name, each of `_LARGE` bytes, all of whose parts hand the daemon over."""
    parts = {
        "compose.yaml": (
            "services:\n",
            (
                f"  web{{}}:\n    image: nginx:1\n    volumes:\n      - {_SOCKET}\n      - a:/b\n"
                "    environment:\n      A: 'one'\n    labels:\n      traefik.enable: 'true'\n"
            ),
        ),
        "deployment.yaml": (
            "",
            (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web{}\nspec:\n"
                "  template:\n    spec:\n      containers:\n        - name: web\n"
                "          image: nginx:1\n          volumeMounts:\n            - name: sock\n"
                "              mountPath: /s\n      volumes:\n        - name: sock\n"
                "          hostPath:\n            path: /var/run/docker.sock\n---\n"
            ),
        ),
        ".github/workflows/build.yml": (
            "on: push\njobs:\n",
            (
                "  job{}:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make build\n"
                f"      - run: docker run -v {_SOCKET} app\n"
            ),
        ),
        ".gitlab-ci.yml": (
            "",
            (
                "job{}:\n  stage: test\n  image: docker\n  script:\n    - make\n"
                f"    - docker run -v {_SOCKET} app\n"
            ),
        ),
        "values.yaml": (
            "",
            (
                "app{}:\n  extraVolumes:\n    - name: sock\n      hostPath:\n"
                "        path: /var/run/docker.sock\n"
            ),
        ),
    }
    files: dict[str, str] = {}
    for name, (head, part) in parts.items():
        count = _LARGE // len(part)
        files[name] = head + "".join(part.replace("{}", str(number)) for number in range(count))
    return files


def _start_up(folder: Path) -> list[tuple[str, float]]:
    """Return the best of a few starts: `sockgate diff` on a small repository, others' --version."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (folder / "compose.yaml").write_text("services:\n  web:\n    image: nginx\n", "utf-8")
    for command in (
        ["git", "init", "-q"], ["git", "add", "."], [*git, "commit", "-qm", "one"],
        [*git, "commit", "-qm", "two", "--allow-empty"],
    ):  # fmt: skip
        _timed(command, folder)
    commands: list[tuple[str, list[str | Path]]] = [
        ("sockgate diff", [*_python("bot.cli", "diff", "HEAD~1", "HEAD")]),
    ]
    for tool in _asked():
        commands.append((f"{tool} --version", [BENCH / tool / "bin" / tool, "--version"]))  # noqa: PERF401
    return [
        (name, min(_timed(command, folder)[1] for _ in range(_STARTS)))
        for name, command in commands
    ]


def _asked() -> list[str]:
    asked = os.environ.get("TOOLS", "").split()
    unknown = set(asked) - set(_TOOLS)
    if unknown:
        sys.exit(
            f"bench: no such tool: {', '.join(sorted(unknown))} (there are {', '.join(_TOOLS)})"
        )
    return asked


def _print(title: str, runs: Sequence[Run]) -> None:
    first = runs[0]
    sys.stdout.write(f"\n{title}: {first.files} files, {first.size / 1e6:.1f} MB\n")
    sys.stdout.write(
        f"{'':16}{'seconds':>9}{'files/s':>9}{'MB/s':>8}{'ratio':>8}{'findings':>10}\n"
    )
    for run in runs:
        findings = "?" if run.findings is None else run.findings
        sys.stdout.write(
            f"{run.name:16}{run.seconds:9.2f}{run.files / run.seconds:9.0f}"
            f"{run.size / 1e6 / run.seconds:8.2f}{run.seconds / first.seconds:8.2f}{findings:>10}\n"
        )
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    asked = _asked()
    for tool in asked:
        _install(tool)
    with tempfile.TemporaryDirectory(prefix="sockgate-bench-") as name:
        top = Path(name)
        folders = [Path(argument).resolve() for argument in arguments]
        if not folders:
            _tree(top / "tree")
            folders = [top / "tree"]
        for folder in folders:
            _print(f"all of {folder.name}", [_sockgate(folder)])
        compose = top / "compose"
        compose.mkdir()
        if asked and _compose_files(folders, compose):
            runs = [_sockgate(compose), *(_TOOLS[tool](compose) for tool in asked)]
            _print("compose files only (ratio: seconds beside sockgate's)", runs)
        for where, text in _large().items():
            large = top / "large" / Path(where).name
            (large / where).parent.mkdir(parents=True)
            (large / where).write_text(text, "utf-8")
            _print(f"one {where} in which everything matches", [_sockgate(large)])
        (top / "small").mkdir()
        sys.stdout.write("\nstart-up, best of a few\n")
        for what, seconds in _start_up(top / "small"):
            sys.stdout.write(f"{what:24}{seconds:7.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
