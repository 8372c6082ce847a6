"""Setting up over HTTP: what is stored, and how, and whoever tries what is not theirs."""

import http.client
import json
import re
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import uvicorn

from bot import settings
from bot.forge.client import GitHub
from bot.server import main
from bot.settings import Problems, Settings
from bot.setup import store
from bot.setup.convert import ConversionError, convert
from bot.setup.door import STATE_SECONDS, Door
from bot.setup.edition import PUBLIC, Edition, edition, origin_of, web_of
from bot.setup.manifest import Wish, manifest, needs, new_app
from bot.setup.site import SetupSite
from bot.setup.store import Credentials, StoreError
from bot.setup.watch import Watch
from bot.web import with_headers
from tests.browser.process import Server
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.ports import free_port
from tests.test_settings import KEY

__all__ = ["github"]

STORED = Credentials(
    app_id=12,
    slug="sockgate-acme",
    name="sockgate acme",
    owner="acme",
    page="https://github.com/apps/sockgate-acme",
    api_url="https://api.github.com",
    public_url="https://sockgate.example.com",
    client_id="Iv1",
    client_secret="client's",
    webhook_secret="webhook's",
    private_key=KEY,
)


# What is stored ---------------------------------------------------------------------------------


def test_credentials_are_kept_where_nobody_else_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    store.write(folder, STORED)
    assert store.read(folder) == STORED
    assert stat.S_IMODE((folder / store.NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [file.name for file in folder.iterdir()] == [store.NAME]
    assert store.is_private(folder)
    (folder / store.NAME).chmod(0o640)
    assert not store.is_private(folder)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    store.write(tmp_path, STORED)
    (tmp_path / store.NAME).unlink()
    (tmp_path / store.NAME).mkdir()  # nothing can be renamed over it
    with pytest.raises(StoreError, match="cannot be written"):
        store.write(tmp_path, STORED)
    assert [file.name for file in tmp_path.iterdir()] == [store.NAME]


def test_whether_credentials_can_be_stored_is_known_before_they_are_asked_for(
    tmp_path: Path,
) -> None:
    store.check(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        store.check(tmp_path / "file" / "below")


def test_secrets_are_in_no_printed_form() -> None:
    for secret in (STORED.private_key, STORED.client_secret, STORED.webhook_secret):
        assert secret not in repr(STORED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"form": 2}',
        json.dumps({"form": 1, "app_id": "12"}),
        json.dumps({"form": 1, **dict.fromkeys(STORED.__slots__, "")}),
        json.dumps({"form": 1, **dict.fromkeys(STORED.__slots__, ""), "app_id": 1, "more": 1}),
    ],
)
def test_a_damaged_file_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / store.NAME).write_text(text)
    with pytest.raises(StoreError):
        store.read(tmp_path)
    found = settings.read({"DATA_DIR": str(tmp_path)})
    assert isinstance(found, Problems)
    assert found.unset is None
    assert len(found.sentences) == 1


def test_stored_credentials_count_where_the_environment_has_none(tmp_path: Path) -> None:
    store.write(tmp_path, STORED)
    found = settings.read({"DATA_DIR": str(tmp_path)})
    assert isinstance(found, Settings)
    assert (found.app_id, found.private_key, found.webhook_secrets) == (12, KEY, ("webhook's",))
    assert (found.client_id, found.client_secret) == ("Iv1", "client's")
    assert (found.public_url, found.web_url) == (STORED.public_url, "https://github.com")
    assert {"client's", "webhook's", KEY} <= set(found.secrets)


def test_the_environment_wins_over_what_is_stored(tmp_path: Path) -> None:
    store.write(tmp_path, STORED)
    own = {"APP_ID": "7", "PRIVATE_KEY": KEY, "WEBHOOK_SECRET": "own"}
    found = settings.read({"DATA_DIR": str(tmp_path), **own})
    assert isinstance(found, Settings)
    assert (found.app_id, found.webhook_secrets, found.client_id) == (7, ("own",), "")


@pytest.mark.parametrize(
    ("name", "text", "missing"),
    [
        ("APP_ID", "7", "set PRIVATE_KEY, WEBHOOK_SECRET too"),
        ("WEBHOOK_SECRET", "own", "set APP_ID, PRIVATE_KEY too"),
        ("PRIVATE_KEY", KEY, "set APP_ID, WEBHOOK_SECRET too"),
    ],
)
def test_a_mix_of_both_is_said_to_be_one(
    tmp_path: Path, name: str, text: str, missing: str
) -> None:
    store.write(tmp_path, STORED)
    found = settings.read({"DATA_DIR": str(tmp_path), name: text})
    assert isinstance(found, Problems)
    assert found.unset is None
    assert missing in found.sentences[0]
    assert "sockgate-acme" in found.sentences[0]


def test_an_app_does_not_move_to_another_github(tmp_path: Path) -> None:
    store.write(tmp_path, STORED)
    elsewhere = {"DATA_DIR": str(tmp_path), "GITHUB_API_URL": "https://ghe.example.com/api/v3"}
    found = settings.read(elsewhere)
    assert isinstance(found, Problems)
    assert "https://api.github.com" in found.sentences[0]


def test_a_set_up_is_offered_only_where_nothing_else_is_wrong(tmp_path: Path) -> None:
    nothing = {"DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://sockgate.example.com"}
    found = settings.read(nothing)
    assert isinstance(found, Problems)
    assert found.unset is not None
    assert (found.unset.public_url, found.unset.api_url) == ("https://sockgate.example.com", "")
    for wrong in ({"PORT": "http"}, {"APP_ID": "7"}, {"CLIENT_ID": "x"}, {"PUBLIC_URL": "x"}):
        found = settings.read(nothing | wrong)
        assert isinstance(found, Problems)
        assert found.unset is None, wrong


def test_a_client_id_without_its_secret_is_a_problem(tmp_path: Path) -> None:
    own = {"APP_ID": "7", "PRIVATE_KEY": KEY, "WEBHOOK_SECRET": "own", "CLIENT_ID": "x"}
    found = settings.read({"DATA_DIR": str(tmp_path), **own})
    assert isinstance(found, Problems)
    assert found.sentences == ("CLIENT_ID and CLIENT_SECRET go together: set both, or none.",)


# Which GitHub, and what it is asked for -----------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "web", "api"),
    [
        ("https://github.com", "https://github.com", "https://api.github.com"),
        ("https://github.com/", "https://github.com", "https://api.github.com"),
        ("https://api.github.com", "https://github.com", "https://api.github.com"),
        ("https://ghe.example.com", "https://ghe.example.com", "https://ghe.example.com/api/v3"),
        (
            "https://ghe.example.com/api/v3/",
            "https://ghe.example.com",
            "https://ghe.example.com/api/v3",
        ),
        ("https://octo.ghe.com", "https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com", "https://api.octo.ghe.com"),
    ],
)
def test_one_address_tells_pages_and_api(address: str, web: str, api: str) -> None:
    assert edition(address) == Edition(web, api)
    assert web_of(api) == web


@pytest.mark.parametrize(
    "address",
    [
        "",
        "github.com",
        "http://github.com",
        "http://169.254.169.254",
        "https://user@github.com",
        "https://user:word@ghe.example.com",
        "https://ghe.example.com/path",
        "https://ghe.example.com?x=1",
        "https://ghe.example.com#x",
        "https://ghe.example.com; script-src *",
        "https://ghe.example.com\r\nX: y",
        "https://ghe.example.com:99999",
        "https://[::1",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://gіthub.com",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    assert edition(address) is None
    assert origin_of(address) is None


def wish(**changed: Any) -> Wish:
    values: dict[str, Any] = {
        "edition": PUBLIC,
        "organization": "acme",
        "public_url": "https://sockgate.example.com",
        "own_origin": "http://127.0.0.1:3000",
    }
    return Wish(**(values | changed))


def test_the_manifest_is_app_yml_with_our_addresses() -> None:
    sent = json.loads(manifest(wish()))
    asked = needs()
    assert sent["default_permissions"] == asked["default_permissions"]
    assert sent["default_events"] == asked["default_events"]
    assert sent["public"] is False
    assert sent["hook_attributes"] == {
        "url": "https://sockgate.example.com/webhook",
        "active": True,
    }
    assert sent["redirect_url"] == "http://127.0.0.1:3000/setup/created"
    assert sent["setup_url"] == "https://sockgate.example.com/setup"
    assert sent["callback_urls"] == ["https://sockgate.example.com/auth/callback"]
    assert sent["name"] == "sockgate-acme"


def test_names_fit_and_differ() -> None:
    assert len(json.loads(manifest(wish(organization="a" * 39)))["name"]) <= 34
    own = {json.loads(manifest(wish(organization="")))["name"] for _ in range(5)}
    assert len(own) == 5


def test_where_the_manifest_goes() -> None:
    assert new_app(wish(), "s/&") == (
        "https://github.com/organizations/acme/settings/apps/new?state=s%2F%26"
    )
    assert new_app(wish(organization=""), "s").startswith("https://github.com/settings/apps/new?")


# The door ---------------------------------------------------------------------------------------


def test_a_token_opens_once() -> None:
    door = Door(local=False)
    token = door.token
    assert token is not None
    assert len(token) >= 40
    assert door.enter("") is None
    assert door.enter(token[:-1]) is None
    assert door.enter("é") is None
    visitor = door.enter(token)
    assert visitor is not None
    assert door.enter(token) is None
    assert door.known(visitor.secret) is visitor
    assert door.known("") is None


def test_a_state_is_good_once_for_its_own_browser_and_for_an_hour() -> None:
    now = [0.0]
    door = Door(local=True, clock=lambda: now[0])
    one, other = door.admit(), door.admit()
    state = door.expect(one, wish())
    assert door.returned(other, state) is None
    assert door.returned(one, state + "x") is None
    assert door.returned(one, "é") is None
    assert door.returned(one, state) == wish()
    assert door.returned(one, state) is None
    late = door.expect(one, wish())
    now[0] = STATE_SECONDS + 1
    assert door.returned(one, late) is None


def test_many_visits_fill_no_memory() -> None:
    door = Door(local=True)
    first = door.admit()
    for _ in range(200):
        visitor = door.admit()
        for _ in range(20):
            door.expect(visitor, wish())
    assert door.known(first.secret) is None
    assert len(visitor.states) == 10


@pytest.mark.parametrize(
    ("host", "peer", "headers"),
    [
        ("sockgate.example.com", "127.0.0.1", {}),
        ("attacker.example:3000", "127.0.0.1", {}),
        ("127.0.0.1.attacker.example", "127.0.0.1", {}),
        ("127.0.0.1@attacker.example", "127.0.0.1", {}),
        ("", "127.0.0.1", {}),
        ("localhost:3000", "10.0.0.9", {}),
        ("localhost:3000", "", {}),
        ("localhost:3000", "127.0.0.1", {"x-forwarded-for": "203.0.113.9"}),
        ("localhost:3000", "127.0.0.1", {"x-forwarded-proto": "https"}),
        ("localhost:3000", "127.0.0.1", {"forwarded": "for=203.0.113.9"}),
        ("localhost:3000", "127.0.0.1", {"via": "1.1 proxy"}),
        ("localhost:3000", "127.0.0.1", {"x-real-ip": "203.0.113.9"}),
    ],
)
def test_what_came_through_others_is_not_local(
    host: str, peer: str, headers: dict[str, str]
) -> None:
    assert not Door(local=True).is_local(host, peer, headers)


def test_local_is_this_machine_by_every_name() -> None:
    door = Door(local=True)
    for host in ("localhost:3000", "127.0.0.1", "[::1]:3000"):
        assert door.is_local(host, "127.0.0.1", {"accept": "*/*"})
    assert not Door(local=False).is_local("localhost", "127.0.0.1", {})


# The pages --------------------------------------------------------------------------------------


@dataclass
class Browser:
    """One cookie jar, on loopback, without redirects."""

    port: int
    cookie: str = ""
    sent: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = urlencode(form) if form else None
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.cookie:
            given.setdefault("Cookie", f"sockgate_setup={self.cookie}")
        if form:
            given.setdefault("Content-Type", "application/x-www-form-urlencoded")
            given.setdefault("Origin", f"http://127.0.0.1:{self.port}")
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        named = {name.lower(): value for name, value in answer.getheaders()}
        found = re.match(r"sockgate_setup=([^;]+)", named.get("set-cookie", ""))
        if found:
            self.cookie = found[1]
        return answer.status, named, text


class Running:
    """The pages in this process."""

    def __init__(self, data: Path, *, local: bool = True) -> None:
        self.stored: list[Credentials] = []
        self.door = Door(local=local)
        self.data = data
        self.site = SetupSite(self.door, data, self.stored.append)
        self.port = free_port()
        config = uvicorn.Config(
            with_headers(self.site.app()), port=self.port, lifespan="off", log_config=None
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started and time.monotonic() < until:
            time.sleep(0.01)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self) -> Browser:
        return Browser(self.port)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path / "data")
    yield made
    made.stop()


def form(running: Running, hub: SmallGitHub, **changed: str) -> dict[str, str]:
    values = {"public_url": running.url, "account": "organization", "organization": "acme"}
    return values | {"github": hub.page_url} | changed


def sent_to_github(page: str) -> tuple[str, dict[str, Any]]:
    """Return where the form on a page leads, and the manifest in it."""
    import html  # noqa: PLC0415 - one use

    action, text = re.findall(r'action="([^"]+)"|name="manifest" value="([^"]+)"', page)
    return html.unescape(action[0]), json.loads(html.unescape(text[1]))


def go(running: Running, github: SmallGitHub, browser: Browser) -> tuple[str, str]:
    """Fill in the form and confirm at GitHub; return the code and the state it comes back with."""
    github.organization("acme")
    assert browser.ask("GET", "/setup")[0] == 200
    status, _, page = browser.ask("POST", "/setup", form(running, github))
    assert status == 200
    action, described = sent_to_github(page)
    (state,) = parse_qs(urlsplit(action).query)["state"]
    code = github.manifests.register(described, described["name"], github.organization("acme"))
    return code, state


def back(browser: Browser, code: str, state: str) -> tuple[int, dict[str, str], str]:
    return browser.ask("GET", f"/setup/created?{urlencode({'code': code, 'state': state})}")


def test_the_way_there_and_back(running: Running, github: SmallGitHub) -> None:
    browser = running.browser()
    code, state = go(running, github, browser)
    status, headers, _ = back(browser, code, state)
    assert (status, headers["location"]) == (303, "/setup")
    app = github.app_called("sockgate-acme")
    assert app is not None
    kept = store.read(running.data)
    assert kept is not None
    assert (kept.app_id, kept.private_key, kept.webhook_secret) == (
        app.id,
        app.private_key,
        app.secret,
    )
    assert (kept.client_id, kept.client_secret) == (app.client_id, app.client_secret)
    assert (kept.api_url, kept.public_url, kept.owner) == (github.url, running.url, "acme")
    github.wait_for(lambda: running.stored == [kept])
    assert "One moment" in browser.ask("GET", "/setup")[2]


def test_an_app_of_the_own_account(running: Running, github: SmallGitHub) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    own = form(running, github, account="own", organization="ignored here")
    action, described = sent_to_github(browser.ask("POST", "/setup", own)[2])
    url = urlsplit(action)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{github.page_url}/settings/apps/new"
    (state,) = parse_qs(url.query)["state"]
    owner = github.manifests.owner(None)
    code = github.manifests.register(described, described["name"], owner)
    assert back(browser, code, state)[0] == 303
    kept = store.read(running.data)
    assert kept is not None
    assert kept.owner == owner.login


def test_a_state_of_another_browser_is_refused(running: Running, github: SmallGitHub) -> None:
    mine, other = running.browser(), running.browser()
    code, state = go(running, github, mine)
    other.ask("GET", "/setup")
    for stranger in (other, running.browser(), Browser(running.port, "guess")):
        assert back(stranger, code, state)[0] == 403
    assert back(mine, code, state + "x")[0] == 403
    assert store.read(running.data) is None
    assert back(mine, code, state)[0] == 303


def test_a_code_brought_twice_is_refused(running: Running, github: SmallGitHub) -> None:
    browser = running.browser()
    code, state = go(running, github, browser)
    again = go_again(running, github, browser)
    assert back(browser, code, state)[0] == 303
    assert back(browser, code, state)[0] == 403
    assert back(browser, code, again)[0] == 409
    github.wait_for(lambda: running.stored)
    assert len(running.stored) == 1


def go_again(running: Running, github: SmallGitHub, browser: Browser) -> str:
    """Fill in the form once more, as in a second tab; return its state."""
    page = browser.ask("POST", "/setup", form(running, github))[2]
    (state,) = parse_qs(urlsplit(sent_to_github(page)[0]).query)["state"]
    return state


def test_a_code_that_github_does_not_know_stores_nothing(
    running: Running, github: SmallGitHub
) -> None:
    browser = running.browser()
    _, state = go(running, github, browser)
    status, _, page = back(browser, "unknown", state)
    assert status == 502
    assert "good once" in page
    assert store.read(running.data) is None
    code, state = go_on(running, github, browser)
    assert back(browser, code, state)[0] == 303


def test_credentials_that_came_meanwhile_are_not_replaced(
    running: Running, github: SmallGitHub
) -> None:
    browser = running.browser()
    code, state = go(running, github, browser)
    store.write(running.data, STORED)
    status, _, page = back(browser, code, state)
    assert status == 502
    assert "start the server again" in page
    assert store.read(running.data) == STORED
    assert browser.ask("POST", "/setup", form(running, github))[0] == 500


@pytest.mark.parametrize(
    "how", [{"status": 500}, {"status": 302}, {"reset": True}, {"truncate": True}]
)
def test_a_github_that_fails_half_way_stores_nothing(
    running: Running, github: SmallGitHub, how: dict[str, Any]
) -> None:
    browser = running.browser()
    code, state = go(running, github, browser)
    github.faults.add("POST", "/app-manifests/*", times=1, **how)
    status, _, page = back(browser, code, state)
    assert status == 502
    assert "delete it there" in page
    assert store.read(running.data) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "12"),
        ("id", 0),
        ("id", True),
        ("slug", "../x"),
        ("pem", "no key"),
        ("webhook_secret", None),
        ("client_secret", ""),
        ("owner", None),
    ],
)
def test_an_answer_that_lacks_something_stores_nothing(
    running: Running, github: SmallGitHub, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    browser = running.browser()
    code, state = go(running, github, browser)
    changed = SimpleNamespace(loads=lambda text: json.loads(text) | {name: value})
    monkeypatch.setattr("bot.setup.convert.json", changed)
    assert back(browser, code, state)[0] == 502
    assert store.read(running.data) is None


def test_an_open_page_asks_more_and_more_seldom(github: SmallGitHub) -> None:
    app = github.app("sockgate", permissions=needs()["default_permissions"])
    now = [0.0]
    forge = GitHub(app.id, app.private_key, github.url)
    watch = Watch(forge, github.page_url, lambda: now[0])
    for second in range(3600):
        now[0] = float(second)
        watch.look()
    looks = sum(request.path == "/app" for request in github.requests)
    assert 100 < looks < 250
    now[0] += 1
    watch.look(news=True)
    watch.look(news=True)
    assert sum(request.path == "/app" for request in github.requests) == looks + 1


def go_on(running: Running, github: SmallGitHub, browser: Browser) -> tuple[str, str]:
    page = browser.ask("POST", "/setup", form(running, github))[2]
    action, described = sent_to_github(page)
    (state,) = parse_qs(urlsplit(action).query)["state"]
    return github.manifests.register(described, "another", github.organization("acme")), state


@pytest.mark.parametrize("code", ["", "../../app", "a/b", "a?b", "x" * 201, "a%2fb", "é"])
def test_a_code_cannot_lead_elsewhere(code: str) -> None:
    with pytest.raises(ConversionError, match="no usable code"):
        convert(PUBLIC, code, "https://sockgate.example.com")


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "null", "", "http://127.0.0.1:1", "http://localhost"]
)
def test_a_form_of_another_site_is_refused(
    running: Running, github: SmallGitHub, origin: str
) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    status, _, page = browser.ask("POST", "/setup", form(running, github), Origin=origin)
    assert status == 403
    assert "manifest" not in page


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_a_browser_that_says_where_a_form_is_from_is_believed(
    running: Running, github: SmallGitHub, site: str
) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    said = browser.ask("POST", "/setup", form(running, github), Sec_Fetch_Site=site)
    assert said[0] == 403
    # A proxy may name another host than the browser did.
    elsewhere = {"Origin": "https://sockgate.example.com", "Sec_Fetch_Site": "same-origin"}
    assert browser.ask("POST", "/setup", form(running, github), **elsewhere)[0] == 200


def test_a_name_of_someone_elses_that_points_here_is_refused(running: Running) -> None:
    host = f"attacker.example:{running.port}"
    status, headers, page = running.browser().ask("GET", "/setup", Host=host)
    assert status == 403
    assert "set-cookie" not in headers
    assert "<form" not in page
    assert str(running.door.token) not in page
    own = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
    assert running.browser().ask("POST", "/setup", {"public_url": "x"}, **own)[0] == 403


def test_elsewhere_the_token_of_the_log_is_asked_for(tmp_path: Path) -> None:
    running = Running(tmp_path, local=False)
    try:
        browser = running.browser()
        assert browser.ask("GET", "/setup")[0] == 403
        assert browser.ask("GET", "/setup?token=guess")[0] == 403
        assert browser.cookie == ""
        status, headers, _ = browser.ask("GET", f"/setup?token={running.door.token}")
        assert (status, headers["location"]) == (303, "/setup")
        cookie = headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/setup"))
        assert browser.ask("GET", "/setup")[0] == 200
        assert running.browser().ask("GET", "/setup")[0] == 403
    finally:
        running.stop()


def test_with_a_public_address_nobody_is_local(tmp_path: Path) -> None:
    with Server(tmp_path, {"PUBLIC_URL": "https://sockgate.example.com"}) as server:
        assert server.status("/setup") == 403
        (line,) = server.logged("no App is set up yet")
        address, _, token = line["page"].partition("?")
        assert address == "https://sockgate.example.com/setup"
        browser = Browser(server.port)
        assert browser.ask("GET", f"/setup?{token}")[0] == 303
        assert "https://sockgate.example.com" in browser.ask("GET", "/setup")[2]
        assert browser.ask("GET", f"/setup?{token}")[0] == 403
        assert server.stop() == 0


def test_settings_that_are_wrong_open_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main({"DATA_DIR": str(tmp_path), "APP_ID": "7"}) == 2
    assert "PRIVATE_KEY" in capsys.readouterr().err


def test_a_cookie_is_kept_to_https_where_the_page_came_by_it(running: Running) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    headers = browser.ask("GET", "/setup", X_Forwarded_Proto="https")[1]
    assert "secure" in headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"public_url": ""}, "without a path"),
        ({"public_url": "http://sockgate.example.com"}, "without a path"),
        ({"public_url": "http://127.0.0.1:3000", "github": "https://github.com"}, "cannot reach"),
        ({"organization": "acme/../x"}, "The organization’s name"),
        ({"organization": ""}, "The organization’s name"),
        ({"github": "http://10.0.0.1"}, "https://github.example.com"),
    ],
)
def test_a_form_with_mistakes_comes_back_with_them(
    running: Running, github: SmallGitHub, changed: dict[str, str], said: str
) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    status, _, page = browser.ask("POST", "/setup", form(running, github, **changed))
    assert status == 422
    assert said in page


def test_what_is_typed_comes_back_harmless(running: Running, github: SmallGitHub) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    hostile = '"><script>alert(1)</script>'
    changed = {"public_url": hostile, "organization": hostile, "github": hostile}
    page = browser.ask("POST", "/setup", form(running, github, **changed))[2]
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_form_too_large_is_not_read(running: Running, github: SmallGitHub) -> None:
    browser = running.browser()
    browser.ask("GET", "/setup")
    assert browser.ask("POST", "/setup", form(running, github, x="x" * 9000))[0] == 413


def test_where_nothing_can_be_stored_no_app_is_asked_for(
    running: Running, github: SmallGitHub
) -> None:
    running.data.parent.mkdir(exist_ok=True)
    running.data.touch()
    browser = running.browser()
    browser.ask("GET", "/setup")
    status, _, page = browser.ask("POST", "/setup", form(running, github))
    assert status == 500
    assert "could not be kept" in page


def test_deliveries_are_put_off_and_health_tells(running: Running) -> None:
    browser = running.browser()
    status, headers, _ = browser.ask("POST", "/webhook", {"x": "y"})
    assert (status, headers["retry-after"]) == (503, "60")
    assert browser.ask("GET", "/healthz")[0] == 200
    assert browser.ask("GET", "/readyz")[0] == 503
    assert browser.ask("GET", "/")[1]["location"] == "/setup"
    assert browser.ask("GET", "/pages/..%2fbase.html")[0] == 404


def test_pages_take_no_foreign_parts(running: Running) -> None:
    headers = running.browser().ask("GET", "/setup")[1]
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
