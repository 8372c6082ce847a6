"""`make demo` as it is: one pull request is held, justified, and green, through the real server."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_ends_green() -> None:
    environment = {name: text for name, text in os.environ.items() if name != "KEEP"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held, _, green = done.stdout.partition("puts on the label")
    assert "not justified" in held
    assert "Justified by `mia` (role maintain)" in green
    assert "until the proxy" in green
