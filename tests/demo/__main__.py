"""Play one pull request through the real server, print what people would see, and end.

KEEP=1 in the environment stops where it is held, and leaves both running: the page shows the pull
request, and takes the label, comments and the merge from whoever looks.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from tests.demo.files import BASE, BODY, HEAD, REASON, TITLE
from tests.github import App, PullRequest, SmallGitHub
from tests.ports import free_port

TOP = Path(__file__).parents[2]
CHECK, LABEL = "docker-socket", "docker-socket-justified"
SECONDS = 60


def main() -> int:
    """Run the demo. Returns 0 where the check went red, then green where the label is put on."""
    data = Path(tempfile.mkdtemp(prefix="sockgate-demo-"))
    port = free_port()
    try:
        with SmallGitHub(strict=False) as github:
            app = _app(github, port)
            server = _serve(github, app, data, port)
            try:
                return _play(github, app, server)
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(20)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _app(github: SmallGitHub, port: int) -> App:
    manifest = yaml.safe_load((TOP / "app.yml").read_text("utf-8"))
    return github.app(
        "sockgate",
        permissions=manifest["default_permissions"],
        events=manifest["default_events"],
        webhook_url=f"http://127.0.0.1:{port}/webhook",
    )


def _serve(github: SmallGitHub, app: App, data: Path, port: int) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "APP_ID": str(app.id),
        "PRIVATE_KEY": app.private_key,
        "WEBHOOK_SECRET": app.secret,
        "GITHUB_API_URL": github.url,
        "DATA_DIR": str(data),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "error"),
    }
    environment.pop("DATABASE_URL", None)
    server = subprocess.Popen([sys.executable, "-m", "bot.cli", "serve"], env=environment, cwd=TOP)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return server
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    server.kill()
    raise SystemExit("the server did not become ready")


def _play(github: SmallGitHub, app: App, server: "subprocess.Popen[bytes]") -> int:
    acme, mia, dev = github.organization("acme"), github.user("mia"), github.user("dev")
    shop = acme.repository("shop", BASE)
    shop.add_collaborator(mia, "maintain")
    shop.add_collaborator(dev, "write")
    shop.required_checks.append((CHECK, app))
    app.install(acme)
    _say("dev opens a pull request: " + TITLE)
    pull = shop.pull(HEAD, by=dev, title=TITLE, body=BODY)
    github.wait_for(lambda: pull.check(CHECK, app) and pull.threads, timeout=SECONDS)
    for thread in pull.threads:
        comment = thread.comments[0]
        _say(f"{comment.author.login} comments on {thread.anchor.path}:{thread.line}")
        _print(comment.body)
    red = _check(pull, app)
    held = red == "failure" and not github.mergeable(pull, required=[(CHECK, app)])
    if os.environ.get("KEEP"):
        _say("Held. Put the label on yourself, as mia:")
        _say(f"{github.page_url}/acme/shop/pull/{pull.number}  (Ctrl-C ends it)")
        _wait(server)
        return 0 if held else 1
    github.clock.advance(2)
    _say(f"mia, who has the role maintain, says why, and puts on the label {LABEL}")
    pull.comment(REASON, by=mia)
    pull.label(LABEL, by=mia)
    github.wait_for(lambda: github.mergeable(pull, required=[(CHECK, app)]), timeout=SECONDS)
    green = _check(pull, app)
    return 0 if held and green == "success" else 1


def _check(pull: PullRequest, app: App) -> str | None:
    check = pull.check(CHECK, app)
    if check is None:
        return None
    _say(f"The check {CHECK}: {check.conclusion} - {check.title}")
    _print(check.summary or "")
    return check.conclusion


def _wait(server: "subprocess.Popen[bytes]") -> None:
    try:
        server.wait()
    except KeyboardInterrupt:
        _say("Stopped.")


def _say(text: str) -> None:
    sys.stdout.write(f"\n== {text}\n\n")
    sys.stdout.flush()


def _print(markdown: str) -> None:
    for line in markdown.splitlines():
        if not line.startswith("<!--"):
            sys.stdout.write(f"   {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
