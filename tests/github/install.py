"""Put GitHub's own API descriptions under ``.tools/octokit``: in, nothing; out, their folder.

``npm ci`` runs only where the lock file's hash differs from the stamp of the last run, so a second
call costs a file read. Only the standard library is used: the test command calls this first.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".tools" / "octokit"
MODULES = FOLDER / "node_modules" / "@octokit"
_STAMP = FOLDER / "stamp"


def version() -> str:
    """Name the installed set: a short hash of the lock file, for the names of derived files."""
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]


def ensure() -> Path:
    """Install the packages unless this very lock file was installed before; return their folder."""
    if _stamped():
        return MODULES
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _stamped():
            _install()
            _STAMP.write_text(version())
    return MODULES


def _stamped() -> bool:
    return _STAMP.exists() and _STAMP.read_text() == version()


def _install() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, FOLDER / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise SystemExit("npm is needed to install GitHub's API descriptions") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"npm ci failed:\n{error.stderr}") from None
    # The package carries every edition, dereferenced too: 400 MB, of which one file is read.
    for file in (MODULES / "openapi" / "generated").glob("*.json"):
        if file.name != "api.github.com.json":
            file.unlink()


if __name__ == "__main__":
    sys.stdout.write(f"{ensure()}\n")
