"""What is shipped: pins, the wheel, the image, the commands of a new machine."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("run", "test", "build")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def lock(name: str) -> dict[str, tuple[str, int]]:
    """Read name -> (version, how many hashes); anything but pins and hashes fails."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace(" \\\n", " ")
    pins = {}
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z0-9-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})+)", line)
        assert found, line
        pins[found[1]] = (found[2], found[3].count("--hash"))
    return pins


def wanted(kind: str) -> list[Requirement]:
    of = project()
    lists: dict[str, list[str]] = {
        "run": of["project"]["dependencies"],
        "test": of["project"]["dependencies"] + of["dependency-groups"]["test"],
        "build": of["build-system"]["requires"],
    }
    return [Requirement(text) for text in lists[kind]]


@pytest.mark.parametrize("kind", LOCKS)
def test_everything_is_pinned_with_hashes_and_fits_what_is_declared(kind: str) -> None:
    pins = lock(kind)
    for requirement in wanted(kind):
        version, _ = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_tests_run_on_the_very_versions_of_the_server() -> None:
    run, test, build = (lock(kind) for kind in LOCKS)
    assert run.items() <= test.items()
    assert all(test.get(name, pin) == pin for name, pin in build.items())


def test_compiled_packages_are_pinned_for_more_than_one_platform() -> None:
    pins = lock("run")
    for name in ("cffi", "cryptography", "pydantic-core", "psycopg-binary", "sqlalchemy"):
        assert pins[name][1] > 10, name


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    version = project()["project"]["version"]
    assert tops == {"bot", f"sockgate-{version}.dist-info"}
    tracked = subprocess.run(
        ["git", "ls-files", "bot"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert set(tracked) <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "bot/app.yml" in names  # the set-up sends it to GitHub


def test_the_command_works_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "compose.yml").write_text(
        "services:\n  a:\n    image: a\n    volumes: ['/var/run/docker.sock:/s']\n"
    )
    run = subprocess.run(
        [sys.executable, "-P", "-m", "bot.cli", "scan", "tree"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1, run.stderr
    assert "compose.yml" in run.stdout


def test_the_version_is_said_once() -> None:
    from bot import __version__  # noqa: PLC0415 - the one that is installed

    assert project()["project"]["version"] == __version__


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(None, 1)[1]) for line in lines]


def test_the_image_runs_as_nobody_and_checks_its_health() -> None:
    made = instructions()
    last = max(index for index, (verb, _) in enumerate(made) if verb == "FROM")
    final = made[last:]
    (user,) = [rest for verb, rest in final if verb == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert final.index(("USER", user)) < [verb for verb, _ in final].index("ENTRYPOINT")
    assert [rest for verb, rest in final if verb == "VOLUME"] == ["/data"]
    (health,) = [rest for verb, rest in final if verb == "HEALTHCHECK"]
    assert "/healthz" in health
    (environment,) = [rest.split() for verb, rest in final if verb == "ENV"]
    assert {"HOST=0.0.0.0", "DATA_DIR=/data", "PORT=3000"} <= set(environment)
    assert not any("docker.sock" in rest for _, rest in made)
    assert not any(verb == "RUN" for verb, _ in final)  # nothing is fetched into the last stage


def test_the_image_installs_only_what_is_pinned() -> None:
    installs = [
        part
        for verb, rest in instructions()
        if verb == "RUN"
        for part in rest.split("&&")
        if "pip" in part and " install " in part
    ]
    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


def test_the_image_gets_the_files_that_it_copies() -> None:
    kept = {
        line.removeprefix("!").split("/")[0]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for verb, rest in instructions():
        if verb == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert source.rstrip("/").split("/")[0] in kept
                assert (ROOT / source).exists()


def test_our_own_workflow_has_no_rights_it_does_not_name_and_no_moving_parts() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(file.read_text())
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert set(job["permissions"].values()) <= {"read"}
            for step in job["steps"]:
                if "uses" in step:
                    assert re.search(r"@[0-9a-f]{40}$", step["uses"])
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_ci_runs_the_readmes_command_without_input() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text()
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("exec make test")
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_a_second_set_up_does_nothing_until_what_is_pinned_changes(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")

    def would_do() -> str:
        command = ["make", "--no-print-directory", "--dry-run", "setup"]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    first = would_do()
    assert "pip" in first
    stamp = tmp_path / first.split("touch ")[1].strip()
    stamp.parent.mkdir()
    stamp.touch()
    assert "pip" not in would_do()
    with (tmp_path / "requirements" / "run.txt").open("a") as file:
        file.write("\n")
    assert "pip" in would_do()


def test_the_licence_is_the_apache_licence_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project()["project"]["license"] == "Apache-2.0"
