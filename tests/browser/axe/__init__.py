"""axe-core, pinned by the lock file beside this and put under `.tools/axe` at first use."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_HERE = Path(__file__).resolve().parent
_FOLDER = _HERE.parents[2] / ".tools" / "axe"
_SERIOUS = ("serious", "critical")
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def script() -> str:
    """Return the source of axe-core, installing it unless this very lock file was before."""
    lock_file = _HERE / "package-lock.json"
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    stamp = _FOLDER / "stamp"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(_HERE / name, _FOLDER / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=_FOLDER, check=True, capture_output=True)
            stamp.write_text(wanted)
    return (_FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def problems(page: Page) -> list[str]:
    """List what axe finds serious or critical on the page as it is shown now."""
    page.evaluate(script())  # past the page's own policy, which takes no foreign scripts
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": _RULES}}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in _SERIOUS
        for node in one["nodes"]
    ]
