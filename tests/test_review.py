"""Where a finding is shown, and what counts as added."""

from pathlib import Path

import pytest

from bot.detect.grant import Grant, How, Severity, Step
from bot.detect.source import DictSource
from bot.local import between, repository
from bot.review.affected import in_scope, wanted
from bot.review.anchor import anchor
from bot.review.compare import compare
from bot.review.covers import covers
from bot.review.hunks import read_hunks, whole_file
from bot.review.model import Change, Hunk, InSummary, OnFile, OnLine
from tests.repositories import Repository, git

HUNK = Hunk(10, 7, frozenset({13}), frozenset({15}))
CHANGES = {
    "a.yml": Change("a.yml", "a.yml", (HUNK,)),
    "big.yml": Change("big.yml", "big.yml", None),
}


def grant(path: str, line: int, *steps: Step, extent: tuple[int, int] = (0, 0)) -> Grant:
    return Grant(path, line, "", "service x", None, "docker", How.MOUNT, steps=steps, extent=extent)


@pytest.mark.parametrize(
    ("one", "where"),
    [
        (grant("a.yml", 13), OnLine("a.yml", 13)),
        (grant("a.yml", 11, Step("a.yml", 13)), OnLine("a.yml", 13)),
        (grant("a.yml", 13, Step("other.yml", 1)), OnLine("a.yml", 13)),
        (grant("a.yml", 11), OnLine("a.yml", 11)),
        (grant("a.yml", 30, extent=(9, 31)), OnLine("a.yml", 13)),
        (grant("a.yml", 30, extent=(15, 31)), OnLine("a.yml", 15)),
        (grant("a.yml", 30, extent=(28, 31)), OnFile("a.yml")),
        (grant("big.yml", 3), OnFile("big.yml")),
        (grant("other.yml", 3, Step("a.yml", 40), Step("other.yml", 3)), OnFile("a.yml")),
        (grant("other.yml", 3), InSummary()),
    ],
)
def test_a_grant_is_shown_where_github_accepts_a_comment(one: Grant, where: object) -> None:
    assert anchor(one, CHANGES) == where


def test_hunks_of_a_patch_without_headers_as_github_gives_it() -> None:
    patch = "@@ -1,4 +1,4 @@\n a\x0c\u2028\n-b\n+c\r\n d\n e\n\\ No newline at end of file"
    [hunk] = read_hunks(patch) or ()
    assert (hunk.start, hunk.length) == (1, 4)
    assert (hunk.added, hunk.removed_before) == (frozenset({2}), frozenset({2}))


NO_END = "\\ No newline at end of file\n"


@pytest.mark.parametrize(
    ("patch", "added"),
    [
        (f"@@ -1,2 +1,3 @@\n a\n-b\n{NO_END}+b\n+c\n", {3}),
        (f"@@ -1,3 +1,2 @@\n a\n-b\n-c\n+b\n{NO_END}", set()),
        (f"@@ -1,2 +1,2 @@\n a\n-b\n{NO_END}+c\n", {2}),
        (f"@@ -1 +1,2 @@\n a\n+b\n{NO_END}", {2}),
    ],
)
def test_a_line_that_only_gains_or_loses_its_end_is_not_added(patch: str, added: set[int]) -> None:
    [hunk] = read_hunks(patch) or ()
    assert hunk.added == added


@pytest.mark.parametrize("patch", ["@@ -1 +1 @@ \n-", "@@ nonsense", "Binary files a and b differ"])
def test_what_is_no_patch_has_no_hunks(patch: str) -> None:
    assert not read_hunks(patch)


def test_a_whole_new_file_is_one_hunk() -> None:
    assert whole_file(0) == ()
    assert whole_file(2) == (Hunk(1, 2, frozenset({1, 2})),)


ODD = "FROM a\n# \x0c \u2028 \u0085 \r x\n{}RUN b\r\nRUN c\n"
ENV = "ENV DOCKER_HOST=unix:///var/run/docker.sock\n"


def test_lines_beside_odd_characters_are_gits(tmp_path: Path) -> None:
    folder = Repository(tmp_path)
    one = folder.commit({"Dockerfile": ODD.format("")})
    two = folder.commit({"Dockerfile": ODD.format(ENV)})
    with repository(tmp_path) as opened:
        it = between(opened, one, two)
        review = compare(it.base, it.head, it.changes)
    [finding] = review.findings
    assert finding.anchor == OnLine("Dockerfile", 3)
    assert finding.grant.text == ENV.strip()


def test_a_clone_without_its_large_files_is_compared_all_the_same(tmp_path: Path) -> None:
    folder = Repository(tmp_path)
    large = "".join(f"line {number}\n" for number in range(400))
    one = folder.commit({"large.txt": large, "Dockerfile": "FROM a\n"})
    two = folder.commit(
        {"large.txt": None, "other.txt": large + "more\n", "Dockerfile": "FROM a\n" + ENV}
    )
    lost = git(tmp_path, "rev-parse", f"{one}:large.txt")
    (tmp_path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with repository(tmp_path) as opened:
        it = between(opened, one, two)
        [finding] = compare(it.base, it.head, it.changes).findings
    assert finding.anchor == OnLine("Dockerfile", 2)


def dockerfiles(base: str | None, head: str | None) -> tuple[DictSource, DictSource, list[Change]]:
    old, new = ("Dockerfile" if text is not None else None for text in (base, head))
    return (
        DictSource({"Dockerfile": base} if base is not None else {}),
        DictSource({"Dockerfile": head} if head is not None else {}),
        [Change(old, new, None)],
    )


def test_one_more_of_the_same_is_one_finding() -> None:
    stage = "FROM a\n" + ENV
    review = compare(
        *dockerfiles(stage, "FROM a\n" + ENV + ENV.replace("DOCKER_HOST", "CONTAINER_HOST"))
    )
    assert len(review.findings) == 1
    assert len(review.set_aside) == 1


def test_what_goes_away_is_told_and_no_finding() -> None:
    review = compare(*dockerfiles("FROM a\n" + ENV, None))
    assert review.findings == ()
    assert [gone.resource for gone in review.removed] == ["docker"]


def test_an_unreadable_file_is_unknown_only_where_it_is_new() -> None:
    binary = b"\x00\x00/var/run/docker.sock\x00"
    old, new = DictSource({"Dockerfile": binary}), DictSource({"Dockerfile": binary + b"x"})
    change = [Change("Dockerfile", "Dockerfile", None)]
    assert compare(old, new, change).unknowns == ()
    assert len(compare(DictSource({}), new, [Change(None, "Dockerfile", None)]).unknowns) == 1


def test_a_file_that_is_not_read_to_its_end_is_unknown_whenever_it_changes() -> None:
    large = "services:\n  a:\n    volumes: ['/run/docker.sock:/s']\n" + "# note\n" * 1_300_000
    for before, after in ((large, large + "#\n"), (large.replace(".sock", ""), large + "#\n")):
        old, new = DictSource({"compose.yaml": before}), DictSource({"compose.yaml": after})
        change = [Change("compose.yaml", "compose.yaml", None)]
        assert len(compare(old, new, change).unknowns) == 1
        assert compare(new, new, change).unknowns == ()


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("/", "docker", True),
        ("/", "/run", True),
        ("/", "~/.colima", True),
        ("/run", "docker", True),
        ("/var", "/run", True),
        ("/run", "/run/containerd", True),
        ("/run/containerd", "containerd", True),
        ("/run/containerd", "docker", False),
        ("/run/user/1000", "docker-rootless", True),
        ("/run/user/1000", "docker", False),
        ("docker", "/", False),
        ("docker", "docker", False),
        ("/run", "tcp://a:2375", False),
    ],
)
def test_a_wide_mount_covers_a_narrow_one(wide: str, narrow: str, *, expected: bool) -> None:
    assert covers(wide, narrow) is expected


@pytest.mark.parametrize(
    "path",
    ["compose.yaml", "a/Dockerfile.dev", "x.sh", "Jenkinsfile_suffix", ".env", "app.yml.j2",
     "Makefile", "base.yaml.in", "docker-compose.sigil", ".drone.jsonnet",
     ".devcontainer/devcontainer.json",
     "bin/entrypoint", "x.tf", "unit.service"],
)  # fmt: skip
def test_files_that_may_be_of_a_format_are_in_scope(path: str) -> None:
    assert in_scope(path)


@pytest.mark.parametrize(
    "path",
    ["README.md", "main.go", "logo.png", "package-lock.json", "LICENSE", "src/docker.py",
     "node_modules/x/compose.yaml"],
)  # fmt: skip
def test_files_that_cannot_be_are_not(path: str) -> None:
    assert not in_scope(path)


def test_files_that_may_refer_to_a_changed_fragment_are_wanted() -> None:
    paths = [
        "a/compose.yaml",
        "a/x.py",
        "b/docker-compose.yml",
        ".github/workflows/ci.yml",
        "c/k8s.yaml",
    ]
    changed = [Change("a/.env", "a/.env", ())]
    assert wanted(changed, paths) == {
        "a/compose.yaml",
        "b/docker-compose.yml",
        ".github/workflows/ci.yml",
    }
    assert wanted([Change("a/Dockerfile", "a/Dockerfile", ())], paths) == frozenset()


def test_the_gravest_grant_of_a_line_stands_for_the_others() -> None:
    review = compare(
        *dockerfiles("FROM a\n", 'FROM a\nVOLUME ["/run/docker.sock","/run/user/1/podman.sock"]\n')
    )
    assert {one.grant.severity for one in review.findings} == {Severity.HIGH}
    assert sum(len(one.fingerprints) for one in review.findings) == 2


def test_of_very_many_deleted_files_none_is_read_where_nothing_is_new() -> None:
    class Counting(DictSource):
        reads = 0

        def read(self, path: str) -> bytes | None:
            Counting.reads += 1
            return super().read(path)

    text = "services:\n  a:\n    image: a\n    volumes: [/run/docker.sock:/run/docker.sock]\n"
    old = {f"s{n}/compose.yml": text for n in range(300)}
    gone = [Change(path, None, None) for path in old]
    assert compare(Counting(old), DictSource({}), gone).findings == ()
    assert Counting.reads == 0
    head = DictSource({"new/compose.yml": text})
    review = compare(Counting(old), head, [*gone, Change(None, "new/compose.yml", None)])
    assert (review.findings, len(review.set_aside)) == ((), 1)
