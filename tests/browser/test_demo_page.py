"""The demo in a real browser: what an author, a reviewer and a maintainer see of a change."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import problems
from tests.browser.fixtures import DESKTOP, PHONE, Visit, overflows, shot

_TOP = Path(__file__).parents[2]


@pytest.fixture
def demo() -> Iterator[str]:
    """Run `make demo KEEP=1`; the address of the pull request's page."""
    command = [sys.executable, "-m", "tests.demo"]
    environment = os.environ | {"KEEP": "1"}
    with subprocess.Popen(
        command, cwd=_TOP, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"http://\S+/pull/\d+", line):
                yield found[0]
                break
        else:
            pytest.fail(f"the demo did not get that far:\n{said}")
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(30) == 0


def looks_right(page: Page, name: str) -> None:
    shot(page, name)
    assert problems(page) == []
    assert not overflows(page)


def picture(page: Page) -> None:
    """Take the README's picture (docs/pull-request.png): the check and one of the comments."""
    page.set_viewport_size({"width": 960, "height": 800})
    page.get_by_text("Summary").click()
    page.evaluate(
        """() => {
          const heading = [...document.querySelectorAll("h2")].find(h => h.innerText === "Try it");
          while (heading.nextElementSibling.tagName === "FORM") heading.nextElementSibling.remove();
          const workflow = document.querySelector("section.box:has(table.diff)");
          for (const part of [heading, workflow, document.querySelector("footer")]) part.remove();
        }"""
    )
    shot(page, "pull-request")


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_pull_request_is_held_until_the_label_is_put_on(
    demo: str, visit: Visit, name: str, size: tuple[int, int]
) -> None:
    page = visit(size)
    page.goto(demo)
    expect(page.get_by_text("Merging is blocked")).to_be_visible()
    expect(page.get_by_text("gets the Docker daemon: root on the host.").first).to_be_visible()
    looks_right(page, f"demo-1-held-{name}")
    if size == DESKTOP:
        picture(page)
        page.set_viewport_size({"width": size[0], "height": size[1]})
    page.get_by_text("More about traefik").click()
    expect(page.get_by_text("A proxy that opens only what it needs")).to_be_visible()

    page.get_by_role("link", name="docker-socket", exact=True).click()
    expect(page.get_by_role("heading", name="2 grants of a container daemon")).to_be_visible()
    looks_right(page, f"demo-2-check-{name}")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("Merging is blocked")).to_be_visible()

    page.get_by_label("As").first.select_option("mia")
    page.get_by_label("Label").select_option("docker-socket-justified")
    page.get_by_role("button", name="Put the label on").click()
    expect(page.get_by_text("Ready to merge")).to_be_visible()
    page.get_by_role("link", name="docker-socket", exact=True).click()
    expect(page.get_by_text("Justified by mia (role maintain)")).to_be_visible()
    looks_right(page, f"demo-3-justified-{name}")
