"""Small real git repositories for tests."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "core.autocrlf=false", *arguments],
        env=os.environ | _ENVIRONMENT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


class Repository:
    """A repository with a work tree, one call a commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files; None deletes one."""
        for path, content in files.items():
            where = self.folder / path
            if content is None:
                where.unlink()
                continue
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None]) -> str:
        """Write files, commit everything, return the commit."""
        self.write(files)
        git(self.folder, "add", "--all", "--force")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "a change")
        return git(self.folder, "rev-parse", "HEAD")

    def branch(self, name: str, at: str) -> None:
        """Start a branch at a commit and check it out."""
        git(self.folder, "checkout", "-q", "-B", name, at)
