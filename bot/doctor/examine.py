"""Everything, in the order in which one thing stands on another."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot import settings
from bot.doctor import app as the_app
from bot.doctor import machine
from bot.doctor.links import Links, links
from bot.doctor.report import REACH, Line, fail, lost, ok, warn
from bot.doctor.repository import repository
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.pace import Pace
from bot.settings import Problems, Settings
from bot.setup.manifest import needs

MOST_REPOSITORIES = 200  # of all installations; three requests each
_PAGES = 10
_LOW = 0.1  # of the hour's requests


def examine(
    environment: Mapping[str, str], only: str = "", pace: Pace | None = None
) -> Iterator[Line]:
    """Look at everything, or, of the repositories, at one ("owner/name")."""
    given = settings.read(environment)
    if isinstance(given, Problems):
        if given.unset:
            yield fail("settings", "no App is set up", "run “sockgate serve”, and open its page")
            return
        for sentence in given.sentences:
            yield fail("settings", sentence, "set it where the server gets its environment")
        return
    yield from machine.credentials(given)
    yield from machine.database(given.database_url)
    yield machine.clock(given.api_url)
    github = GitHub(given.app_id, given.private_key, given.api_url, pace=pace)
    yield from _github(given, github, only)


def _github(given: Settings, github: GitHub, only: str) -> Iterator[Line]:
    try:
        app = github.ask("/app")[1]
    except ForgeError as error:
        yield _key(given, error)
        return
    yield ok("private key", f"GitHub knows us as {app['slug']}")
    where, asked = links(given.web_url, app), needs()
    yield the_app.granted(
        "permissions", asked["default_permissions"], app["permissions"], where.permissions
    )
    yield the_app.heard("events", asked["default_events"], app["events"], where.permissions)
    try:
        yield from the_app.webhook(github.ask("/app/hook/config")[1], given.public_url, where)
        recent = github.ask("/app/hook/deliveries?per_page=100")[1]
        yield from the_app.deliveries(recent, where)
        installed = list(_installed(github))
    except ForgeError as error:
        yield lost("App", f"GitHub could not be asked: {error.reason}", REACH)
        return
    if not installed:
        yield fail("installations", "installed nowhere", f"{where.install}, Install")
    yield from _installations(github, installed, asked, app["id"], where, only)


def _key(given: Settings, error: ForgeError) -> Line:
    if error.status in {401, 403, 404} or error.reason.startswith("private key"):
        return fail(
            "private key",
            f"GitHub at {given.api_url} does not take it for the App {given.app_id} "
            f"({error.reason})",
            "generate a private key on the settings page of this very App, and check APP_ID, "
            "GITHUB_API_URL and the clock",
        )
    return lost("private key", f"{given.api_url} could not be asked: {error.reason}", REACH)


def _installed(github: GitHub) -> Iterator[dict[str, Any]]:
    for page in range(1, _PAGES + 1):
        found = github.ask(f"/app/installations?per_page=100&page={page}")[1]
        yield from found
        if len(found) < 100:
            return


def _installations(
    github: GitHub,
    installed: list[dict[str, Any]],
    asked: Mapping[str, Any],
    app: int,
    where: Links,
    only: str,
) -> Iterator[Line]:
    left, seen = MOST_REPOSITORIES, False
    for one in installed:
        account = (one.get("account") or {}).get("login", "?")
        if only and only.partition("/")[0].lower() != account.lower():
            continue
        yield from the_app.installation(one, asked, where)
        if one.get("suspended_at"):
            continue
        try:
            client = github.client(one["id"])
            yield _rate(client, account)
            for known in client.pages("/installation/repositories", "repositories", most=1_000):
                if only and known["full_name"].lower() != only.lower():
                    continue
                seen = True
                if left == 0:
                    yield lost(account, "has more repositories", "name one with --repo")
                    return
                left -= 1
                yield from repository(client, known, app, where)
        except ForgeError as error:
            says = f"could not be asked: {error.reason}"
            yield lost(f"installation {account}", says, REACH)
    if only and not seen:
        yield fail(only, "the App is not installed on it", f"{where.install}, Configure")


def _rate(client: Client, account: str) -> Line:
    about = f"rate limit {account}"
    core = client.get("/rate_limit")["resources"]["core"]
    left, limit = int(core["remaining"]), int(core["limit"])
    says = f"{left} of {limit} requests left this hour"
    if left < limit * _LOW:
        return warn(about, says, "it fills up within the hour; the server waits for that")
    return ok(about, says)
