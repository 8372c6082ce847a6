"""The command line, in a process of its own, on real repositories."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import EMPTY_TREE, Repository, git

COMPOSE = """\
services:
  web:
    image: nginx:1
    read_only: true
"""
MOUNT = "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro\n"


def sockgate(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def findings(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    document = json.loads(done.stdout)
    assert set(document) == {"findings", "unknowns", "scanned"}
    found = document["findings"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work tree")


def test_diff_compares_the_merge_base_with_the_head(repository: Repository) -> None:
    fork = repository.commit({"compose.yaml": COMPOSE})
    repository.branch("feature", fork)
    head = repository.commit({"compose.yaml": COMPOSE + MOUNT})
    repository.branch("main", fork)
    main = repository.commit({"other.yml": COMPOSE + MOUNT})
    done = sockgate("diff", main, head, "--repo", str(repository.folder), "--format", "json")
    assert done.returncode == 1, done.stderr
    [finding] = findings(done)
    assert (finding["path"], finding["line"]) == ("compose.yaml", 6)
    assert finding["subject"] == "service web"
    assert (finding["image"], finding["resource"]) == ("nginx", "docker")
    assert (finding["how"], finding["severity"]) == ("bind-mount", "critical")
    assert finding["steps"] == [{"path": "compose.yaml", "line": 6}]
    assert [one["text"] for one in finding["undermines"]] == ["read_only: true"]
    assert len(finding["fingerprint"]) == 32
    assert "root on the host" in finding["message"]


def test_diff_of_nothing_new_is_quiet(repository: Repository) -> None:
    one = repository.commit({"compose.yaml": COMPOSE + MOUNT})
    two = repository.commit({"compose.yaml": COMPOSE + MOUNT.replace(":ro", "")})
    done = sockgate("diff", one, two, "--repo", str(repository.folder))
    assert (done.returncode, done.stdout) == (0, "0 grants of a container daemon; 1 files read.\n")


def test_diff_takes_trees_as_they_are_also_in_a_bare_repository(
    repository: Repository, tmp_path: Path
) -> None:
    head = repository.commit({"compose.yaml": COMPOSE + MOUNT})
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository.folder), str(bare))
    done = sockgate("diff", EMPTY_TREE, head, "--repo", str(bare), "--format", "json")
    assert [one["line"] for one in findings(done)] == [6]
    assert sockgate("diff", head, EMPTY_TREE, "--repo", str(bare)).returncode == 0


def test_diff_of_the_index(repository: Repository) -> None:
    repository.commit({"compose.yaml": COMPOSE})
    assert sockgate("diff", "--staged", cwd=repository.folder).returncode == 0
    repository.write({"compose.yaml": COMPOSE + MOUNT})
    assert sockgate("diff", "--staged", cwd=repository.folder).returncode == 0
    git(repository.folder, "add", "compose.yaml")
    assert sockgate("diff", "--staged", cwd=repository.folder).returncode == 1


def test_diff_of_the_index_before_the_first_commit(repository: Repository) -> None:
    repository.write({"compose.yaml": COMPOSE + MOUNT})
    git(repository.folder, "add", "compose.yaml")
    assert sockgate("diff", "--staged", cwd=repository.folder).returncode == 1


def test_a_rename_is_nothing_new(repository: Repository) -> None:
    one = repository.commit({"a/compose.yaml": COMPOSE + MOUNT})
    two = repository.commit({"a/compose.yaml": None, "b/docker-compose.yml": COMPOSE + MOUNT})
    assert sockgate("diff", one, two, "--repo", str(repository.folder)).returncode == 0


def test_odd_file_names_are_read_and_printed_harmlessly(repository: Repository) -> None:
    name = "a b/compose\u202e\n@org.yaml"
    one = repository.commit({"x": ""})
    two = repository.commit({name: COMPOSE + MOUNT})
    done = sockgate("diff", one, two, "--repo", str(repository.folder))
    assert done.returncode == 1
    assert "\u202e" not in done.stdout
    assert "<U+202E>" in done.stdout


def test_symbolic_links_are_no_files(repository: Repository) -> None:
    one = repository.commit({"x": ""})
    (repository.folder / "compose.yaml").symlink_to("/etc/passwd")
    two = repository.commit({})
    done = sockgate("diff", one, two, "--repo", str(repository.folder))
    assert done.returncode == 0, done.stdout
    assert sockgate("scan", str(repository.folder)).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("diff", "main", "nowhere"), "'nowhere' is no commit and no tree"),
        (("diff", "main"), "give BASE and HEAD, or --staged"),
        (("diff", "--staged", "main", "main"), "give BASE and HEAD, or --staged"),
        (("scan", "nowhere"), "nowhere is no folder"),
        (("diff", "main", "--output=x"), "unrecognized arguments"),
    ],
)
def test_what_cannot_be_evaluated_is_a_sentence_and_exit_code_2(
    repository: Repository, arguments: tuple[str, ...], sentence: str
) -> None:
    repository.commit({"compose.yaml": COMPOSE})
    done = sockgate(*arguments, cwd=repository.folder)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_histories_without_a_merge_base_are_not_evaluated(repository: Repository) -> None:
    one = repository.commit({"compose.yaml": COMPOSE})
    git(repository.folder, "checkout", "-q", "--orphan", "other")
    two = repository.commit({"compose.yaml": COMPOSE + MOUNT})
    done = sockgate("diff", one, two, "--repo", str(repository.folder))
    assert done.returncode == 2
    assert "no merge base" in done.stderr


def test_outside_a_repository_is_a_sentence(tmp_path: Path) -> None:
    done = sockgate("diff", "a", "b", cwd=tmp_path)
    assert done.returncode == 2
    assert "not a git repository" in done.stderr


def test_an_unknown_alone_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"\x00\x01/var/run/docker.sock\x00")
    done = sockgate("scan", str(tmp_path), "--format", "json")
    assert done.returncode == 2
    [unknown] = json.loads(done.stdout)["unknowns"]
    assert unknown["path"] == "Dockerfile"
    assert "binary" in unknown["reason"]


def test_the_formats_for_machines(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE + MOUNT)
    sarif = json.loads(sockgate("scan", str(tmp_path), "--format", "sarif").stdout)
    [result] = sarif["runs"][0]["results"]
    assert result["ruleId"] == "bind-mount"
    assert result["ruleId"] in {rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 6}
    command = sockgate("scan", str(tmp_path), "--format", "github").stdout
    assert command.startswith("::error file=compose.yaml,line=6,title=")


def test_starting_loads_neither_github_nor_queue_nor_web_server(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE + MOUNT)
    script = (
        "import sys; from bot.cli import main; code = main(['scan', sys.argv[1]]);"
        "heavy = {'github', 'dbos', 'starlette', 'uvicorn', 'pydantic', 'requests', 'sqlalchemy'};"
        "assert code == 1; assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True)
