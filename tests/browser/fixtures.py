"""Fixtures: `from tests.browser.fixtures import browser, visit` in a test module or a conftest.

The browser is the system's Chromium; none is downloaded. Without one, tests are skipped, but in CI
they fail. SHOTS=folder in the environment keeps a picture of every page that `shot` is asked for.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 800), (375, 740)

Visit = Callable[..., Page]


def executable() -> str:
    """Return the browser's path; skip the test, or fail it in CI, where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sentence = f"none of {', '.join(NAMES)} is on PATH: install Debian's package chromium"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one browser for all tests; each visit has a context of its own."""
    path = executable()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a fresh browser profile: `visit(size=PHONE, scripts=False, dark=True)` -> a page.

    The test fails if a page breaks its own policy or logs an error.
    """
    contexts = []
    wrong: list[str] = []

    def opened(
        size: tuple[int, int] = DESKTOP, *, scripts: bool = True, dark: bool = False
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: (
                wrong.append(said.text)
                if said.type == "error" and "Content Security Policy" in said.text
                else None
            ),
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page where SHOTS says, for people to look at."""
    folder = os.environ.get("SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def overflows(page: Page) -> bool:
    """Say whether the page is wider than the window, so that one has to scroll sideways."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return bool(wide)
