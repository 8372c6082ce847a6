"""Setting up in a real browser: at both widths, with and without scripts, by keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import problems
from tests.browser.fixtures import DESKTOP, PHONE, Visit, overflows, shot
from tests.browser.process import Server
from tests.github import App, SmallGitHub
from tests.github.fixtures import AFTER, BEFORE, github
from tests.github.model.protection import Asked, Ruleset

__all__ = ["github"]
expect.set_options(timeout=20_000)  # a server starts meanwhile


@pytest.fixture
def server(tmp_path: Path, github: SmallGitHub) -> Iterator[Server]:
    acme = github.organization("acme")
    acme.repository("shop", {"compose.yml": BEFORE}, private=True)
    with Server(tmp_path / "data") as running:
        yield running


def looks_right(page: Page, name: str) -> None:
    shot(page, name)
    assert problems(page) == []
    assert not overflows(page)


def fill_in(page: Page, server: Server, github: SmallGitHub) -> None:
    page.goto(server.url + "/")
    page.get_by_label("Where does GitHub reach").fill(server.url)
    page.get_by_label("An organization that I own").check()
    page.get_by_label("Name of the organization").fill("acme")
    page.get_by_text("GitHub Enterprise Server", exact=True).click()
    page.get_by_label("Address of your GitHub").fill(github.page_url)


def created(github: SmallGitHub) -> App:
    app = github.app_called("sockgate-acme")
    assert app is not None
    return app


@pytest.mark.parametrize(
    ("name", "size", "scripts", "dark"),
    [
        ("desktop", DESKTOP, True, False),
        ("phone", PHONE, True, True),
        ("plain", DESKTOP, False, False),
    ],
)
def test_from_nothing_to_a_required_check(
    server: Server,
    github: SmallGitHub,
    visit: Visit,
    name: str,
    size: tuple[int, int],
    scripts: bool,  # noqa: FBT001 - of the table above
    dark: bool,  # noqa: FBT001
) -> None:
    page = visit(size, scripts=scripts, dark=dark)
    fill_in(page, server, github)
    if scripts:
        looks_right(page, f"setup-1-start-{name}")
    page.get_by_role("button", name="Create the App on GitHub").click()
    if not scripts:
        shot(page, f"setup-2-send-{name}")
        page.get_by_role("button", name="Continue to GitHub").click()
    page.get_by_role("button", name="Create GitHub App for acme").click()

    expect(page.get_by_role("heading", name="The App is created")).to_be_visible()
    assert page.url == f"{server.url}/setup"
    app = created(github)
    # The ping came while nobody here knew the secret; it is asked for once more.
    expect(page.get_by_text("The newest is ping")).to_be_visible()
    if scripts:
        looks_right(page, f"setup-3-created-{name}")

    page.get_by_role("link", name="Install on GitHub").click()
    page.get_by_role("button", name="Install on acme").click()
    assert page.url.startswith(f"{server.url}/setup?installation_id=")
    expect(page.get_by_text("Installed on acme.")).to_be_visible()
    if not scripts:
        return
    looks_right(page, f"setup-4-installed-{name}")
    if size == PHONE:
        return
    expect(page.get_by_text("not required", exact=True)).to_be_visible()
    shop = github.find_repository("acme", "shop")
    assert shop is not None
    shop.pull({"compose.yml": AFTER}, by=github.user("dev"), title="Add a volume")
    expect(page.get_by_text(re.compile(r"\d+ evaluations? since"))).to_be_visible()

    log = "".join(server.lines)
    for secret in (app.secret, app.client_secret, app.private_key.split("\n")[1]):
        assert secret not in log

    shop.rulesets.append(Ruleset(1, "acme/shop", [Asked("docker-socket", app.id)]))
    expect(page.get_by_role("heading", name="Everything is in place")).to_be_visible()
    looks_right(page, f"setup-5-done-{name}")


def test_by_keyboard_alone(server: Server, github: SmallGitHub, visit: Visit) -> None:
    page = visit()
    # Another site than the small GitHub's 127.0.0.1, as cookies see it.
    page.goto(f"http://localhost:{server.port}/setup")
    keys = page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    keys.press("Tab")
    expect(page.get_by_label("Where does GitHub reach")).to_be_focused()
    keys.type(server.url)
    keys.press("Tab")
    keys.press("ArrowDown")
    expect(page.get_by_label("An organization that I own")).to_be_checked()
    keys.press("Tab")
    keys.type("acme")
    keys.press("Tab")
    keys.press("Enter")  # opens the fold
    keys.press("Tab")
    expect(page.get_by_label("Address of your GitHub")).to_be_focused()
    keys.press("ControlOrMeta+a")
    keys.type(github.page_url)
    keys.press("Tab")
    expect(page.get_by_role("button", name="Create the App on GitHub")).to_be_focused()
    keys.press("Enter")
    page.get_by_role("button", name="Create GitHub App").focus()
    keys.press("Enter")
    expect(page.get_by_role("link", name="Install on GitHub")).to_be_visible()
    for _ in range(3):
        keys.press("Tab")
    expect(page.get_by_role("link", name="Install on GitHub")).to_be_focused()

    assert server.stop() == 0
    with Server(server.data) as again:  # what was stored is enough
        again.wait_for(lambda: again.status("/readyz") == 200)
        page.goto(again.url + "/setup")  # as whoever installs the App later
        expect(page.get_by_role("heading", name="sockgate is set up")).to_be_visible()
        assert "acme" not in page.content()
        assert again.status("/setup/progress") == 403
        looks_right(page, "setup-installed")


def test_mistakes_are_said_where_they_are(
    server: Server, github: SmallGitHub, visit: Visit
) -> None:
    page = visit(PHONE)
    fill_in(page, server, github)
    page.get_by_label("Where does GitHub reach").fill("https://sockgate.example.com/path")
    page.get_by_label("Name of the organization").fill("no such name")
    page.get_by_role("button", name="Create the App on GitHub").click()
    expect(page.get_by_role("alert")).to_contain_text("without a path")
    expect(page.get_by_label("Where does GitHub reach")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("link", name="The organization’s name").click()
    expect(page.get_by_label("Name of the organization")).to_be_focused()
    looks_right(page, "setup-mistakes-phone")
