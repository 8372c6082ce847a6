"""Signing in to the register over HTTP, and what it shows to whom."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette

from bot import pages
from bot.detect.grant import Grant, How
from bot.records.register import Register, Scanned
from bot.records.tables import repositories, sessions
from bot.records.upgrade import upgrade
from bot.register.sessions import LIFETIME
from bot.register.signin import SignIn
from bot.register.site import RegisterSite
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.ports import free_port
from tests.pulls import Team, team

__all__ = ["github"]

HOSTILE = '<script>alert(1)</script>"&'


@dataclass(slots=True)
class Place:
    """The register's pages on loopback, and a browser."""

    acme: Team
    engine: sa.Engine
    url: str
    site: RegisterSite
    browser: httpx2.Client

    def to_github(self) -> str:
        sent = self.browser.post("/auth/signin", headers={"Origin": self.url})
        assert sent.status_code == 302
        return sent.headers["location"]

    def back(self, to: str) -> httpx2.Response:
        """Go to GitHub and return with what it says."""
        return self.browser.get(httpx2.get(to).headers["location"])


def grant(path: str, subject: str = "service web", **other: str) -> Grant:
    return Grant(path, 6, "- /var/run/docker.sock", subject, "nginx", "docker", How.MOUNT, **other)  # type: ignore[arg-type]


@pytest.fixture
def place(github: SmallGitHub, tmp_path: Path) -> Iterator[Place]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'sockgate.sqlite'}")
    upgrade(engine)
    acme = team(github)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    acme.app.callback_urls.append(f"{url}/auth/callback")
    hidden = acme.shop.owner.repository("hidden", {"x": "y"}, private=True)
    register = Register(engine)
    now = datetime.now(UTC)
    for one, name in ((acme.shop, "shop"), (hidden, "hidden")):
        seen = Scanned(one.id, acme.installation, "acme", name, one.private, "main", "a" * 40, "d")
        register.found(
            seen,
            [grant(f"{name}.yaml"), grant(f"{name}-2.yaml", HOSTILE)],
            now - timedelta(days=3),
        )
    sign_in = SignIn(acme.app.client_id, acme.app.client_secret, github.page_url, github.url)
    site = RegisterSite(engine, sign_in, url)
    app = Starlette(routes=[*site.routes(), *pages.routes()])
    web = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None))
    thread = threading.Thread(target=web.run)
    thread.start()
    while not web.started:
        thread.join(0.01)
    with httpx2.Client(base_url=url) as browser:
        yield Place(acme, engine, url, site, browser)
    web.should_exit = True
    thread.join()
    engine.dispose()


def test_nobody_who_is_not_signed_in_learns_anything(place: Place) -> None:
    door = place.browser.get("/register")
    assert "Sign in with GitHub" in door.text
    assert "shop" not in door.text
    for path in ("/register.csv", "/register.json"):
        assert place.browser.get(path).status_code == 401


def test_a_person_sees_what_they_may_see_on_github_and_no_more(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    answer = place.back(place.to_github())
    assert (answer.status_code, answer.headers["location"]) == (303, "/register")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "session=" in one)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = place.browser.get("/register")
    assert "shop.yaml:6" in page.text
    assert "2 grants" in page.text
    everywhere = [page.text]
    for query in ("", "?repository=acme/hidden", "?text=hidden", "?state=all", "?page=9"):
        for path in ("/register", "/register.csv", "/register.json"):
            answer = place.browser.get(path + query)
            assert answer.status_code == 200
            everywhere.append(answer.text)
    assert not any("hidden.yaml" in text or "hidden-2" in text for text in everywhere)
    assert len(place.browser.get("/register.json").json()) == 2
    assert "0 grants" in place.browser.get("/register?repository=acme/hidden").text


def test_all_pages_of_what_a_person_may_see_are_read(place: Place) -> None:
    for number in range(120):
        one = place.acme.shop.owner.repository(f"more-{number}", {})
        seen = Scanned(one.id, 1, "acme", one.name, one.private, "main", "a" * 40, "d")
        Register(place.engine).found(seen, [grant("compose.yaml")], datetime.now(UTC))
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())
    assert "122 grants, page 1 of 3" in place.browser.get("/register").text


def test_what_a_repository_says_is_escaped(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())
    page = place.browser.get("/register", params={"text": HOSTILE})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "1 grant" in page.text
    assert " style=" not in page.text


def test_a_repository_that_could_not_be_read_is_named_to_who_may_see_it(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())
    assert "Not read" not in place.browser.get("/register").text
    with place.engine.begin() as connection:
        connection.execute(sa.update(repositories).values(failed="too large <b>"))
    page = place.browser.get("/register").text
    assert "acme/shop: too large &lt;b&gt;" in page
    assert "acme/hidden" not in page


def test_filters_and_order_are_in_the_address(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())

    def paths(query: str) -> list[str]:
        return [one["path"] for one in place.browser.get(f"/register.json?{query}").json()]

    assert paths("sort=path&order=up") == ["shop-2.yaml", "shop.yaml"]
    assert paths("sort=path&order=down") == ["shop.yaml", "shop-2.yaml"]
    assert paths("state=gone") == paths("justified=yes") == paths("image=redis") == []
    assert len(paths("justified=no&severity=critical&how=bind-mount")) == 2
    assert len(paths("sort=nonsense&page=x&state=x&justified=x")) == 2


def test_a_state_that_is_not_this_browsers_signs_nobody_in(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    to = place.to_github()
    back = httpx2.get(to).headers["location"]
    stranger = httpx2.get(back)
    assert stranger.status_code == 403
    assert "session=" not in stranger.headers.get("set-cookie", "").replace("sockgate_signin", "")
    changed = re.sub(r"state=[^&]+", "state=other", back)
    assert place.browser.get(changed).status_code == 403


def test_coming_back_twice_signs_in_once(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    back = httpx2.get(place.to_github()).headers["location"]
    kept = dict(place.browser.cookies)
    assert place.browser.get(back).status_code == 303
    assert place.browser.get(back).status_code == 403
    # Nor with the cookie that was set at the start: GitHub's code is used up.
    assert httpx2.get(back, cookies=kept).status_code == 403


def test_who_says_no_at_github_is_not_signed_in(place: Place) -> None:
    answer = place.back(place.to_github())
    assert answer.status_code == 403
    assert "not granted" in answer.text


def test_a_session_ends_after_an_hour_and_at_sign_out(place: Place) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())
    strange = place.browser.post("/auth/signout", headers={"Origin": "http://evil.example"})
    assert strange.status_code == 403
    kept = dict(place.browser.cookies)
    place.site.now = lambda: datetime.now(UTC) + LIFETIME
    assert "Sign in with GitHub" in place.browser.get("/register").text
    place.site.now = lambda: datetime.now(UTC)
    assert "shop.yaml" in place.browser.get("/register").text
    place.browser.post("/auth/signout", headers={"Origin": place.url})
    assert httpx2.get(f"{place.url}/register.json", cookies=kept).status_code == 401
    with place.engine.connect() as connection:
        assert connection.execute(sa.select(sessions)).all() == []


def test_signing_in_is_begun_from_our_own_page_only(place: Place) -> None:
    strange = place.browser.post("/auth/signin", headers={"Origin": "http://evil.example"})
    assert strange.status_code == 403
