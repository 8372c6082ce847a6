"""The App itself: its permissions, events, webhook, deliveries and installations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.doctor.links import Links
from bot.doctor.report import Line, fail, ok, unseen, warn
from bot.setup.edition import is_loopback, split
from bot.setup.manifest import WEBHOOK

_LEVELS = ("read", "write", "admin")
_RECENT = 100


def granted(about: str, needed: Mapping[str, str], given: Mapping[str, str], mend: str) -> Line:
    """Compare permissions."""
    missing = [
        f"{name}: {level}" for name, level in needed.items() if not _reaches(given, name, level)
    ]
    if missing:
        return fail(about, f"missing {', '.join(missing)}", mend)
    more = [
        f"{name}: {level}"
        for name, level in given.items()
        if name not in needed or not _reaches(needed, name, level)
    ]
    if more:
        return warn(about, f"more than is used: {', '.join(more)}", f"{mend} (take them away)")
    return ok(about, "as app.yml asks")


def heard(about: str, needed: Sequence[str], given: Sequence[str], mend: str) -> Line:
    """Compare events."""
    missing = [name for name in needed if name not in given]
    return (
        fail(about, f"missing {', '.join(missing)}", mend)
        if missing
        else ok(about, "as app.yml asks")
    )


def webhook(config: Mapping[str, Any], public_url: str, links: Links) -> Iterator[Line]:
    """Look at where deliveries go, and how."""
    about, mend = "webhook", f"{links.app}, Webhook URL"
    given = str(config.get("url") or "")
    address = given if "://" in given else ""  # PyGithub fills in a missing one with the path
    wanted = f"{public_url}{WEBHOOK}" if public_url else ""
    url = split(address)
    if not address:
        yield fail(
            about, "the App has no webhook URL", f"{mend}: set {wanted or 'https://HOST/webhook'}"
        )
    elif url is None or not url.hostname or not url.path.endswith(WEBHOOK):
        yield fail(about, f"the URL {address} does not end in {WEBHOOK}", mend)
    elif wanted and address != wanted:
        yield warn(about, f"the URL is {address}, but PUBLIC_URL says {wanted}", mend)
    elif url.scheme != "https" and not is_loopback(url.hostname):
        yield fail(about, f"the URL {address} is not https", mend)
    else:
        yield ok(about, address)
    if str(config.get("insecure_ssl", "0")) != "0":
        yield fail(
            about, "GitHub does not verify the certificate", f"{links.app}, SSL verification"
        )
    if config.get("content_type", "json") != "json":
        yield fail(
            about,
            f"deliveries come as {config['content_type']}, which the server refuses",
            f"{links.app}, Content type: application/json",
        )
    if not config.get("secret"):
        yield fail(
            about, "there is no secret: anybody could send deliveries", f"{links.app}, Secret"
        )


def deliveries(recent: Sequence[Mapping[str, Any]], links: Links) -> Iterator[Line]:
    """Look at how the newest deliveries were answered, newest first."""
    about, mend = "deliveries", f"{links.deliveries}, then Redeliver"
    if not recent:
        yield unseen(
            about,
            "nothing was delivered in the last days, so whether the webhook is active and its "
            "secret right cannot be seen",
            f"{links.app}, Active; then open a pull request",
        )
        return
    newest = recent[0]
    status = int(newest["status_code"])
    if status == 401:
        yield fail(
            about,
            "the newest was refused: its signature is not made with WEBHOOK_SECRET",
            f"{links.app}: set the same secret as here, or list both here with a comma",
        )
    elif not 200 <= status < 300:
        answer = f"the answer {status}" if status else "no answer"
        yield fail(about, f"the newest ({newest['event']}) got {answer}: {newest['status']}", mend)
    else:
        yield ok(about, f"the newest ({newest['event']}) was taken")
    well = {one["guid"] for one in recent if 200 <= int(one["status_code"]) < 300}
    failed = {one["guid"] for one in recent if one["guid"] not in well}
    if failed and 200 <= status < 300:
        yield warn(
            about,
            f"{len(failed)} of the last {len({one['guid'] for one in recent})} were never taken",
            mend,
        )


def installation(one: Mapping[str, Any], needs: Mapping[str, Any], links: Links) -> Iterator[Line]:
    """Look at one installation."""
    account = (one.get("account") or {}).get("login", "?")
    about = f"installation {account}"
    page = str(one.get("html_url") or links.install)
    if one.get("suspended_at"):
        yield fail(about, "suspended: nothing is checked there", f"{page}, Unsuspend")
        return
    given, mend = one.get("permissions", {}), f"{page}/permissions/update: accept what is new"
    line = granted(about, needs["default_permissions"], given, mend)
    if line.mend and not line.says.startswith("missing"):
        line = ok(about, "has what it needs")  # said of the App already
    yield line
    missing = [name for name in needs["default_events"] if name not in one.get("events", ())]
    if missing:
        yield fail(about, f"events not accepted yet: {', '.join(missing)}", mend)


def _reaches(given: Mapping[str, str], name: str, level: str) -> bool:
    held = given.get(name)
    return held in _LEVELS and _LEVELS.index(held) >= _LEVELS.index(level)
