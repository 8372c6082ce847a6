"""The register in a real browser: signing in, filtering, at both widths, without scripts too."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.fixtures import DESKTOP, PHONE, Visit, overflows, shot
from tests.github.fixtures import github
from tests.test_register import Place, place
from tests.test_register_decisions import signed_in

__all__ = ["github", "place", "signed_in"]


@pytest.mark.parametrize(
    ("name", "size", "dark", "scripts"),
    [
        ("desktop", DESKTOP, False, True),
        ("phone", PHONE, True, True),
        ("plain", DESKTOP, False, False),
    ],
)
def test_from_signing_in_to_one_grant_and_out(
    place: Place, visit: Visit, name: str, size: tuple[int, int], *, dark: bool, scripts: bool
) -> None:
    place.acme.github.signing_in.person = place.acme.dev
    page = visit(size, dark=dark, scripts=scripts)
    page.goto(f"{place.url}/register")
    shot(page, f"register-door-{name}")
    assert not scripts or problems(page) == []
    page.get_by_role("button", name="Sign in with GitHub").click()
    expect(page.get_by_text("2 grants")).to_be_visible()
    shot(page, f"register-{name}")
    assert not scripts or problems(page) == []
    assert not overflows(page)
    page.get_by_label("Search").fill("shop-2")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 grant", exact=False).first).to_be_visible()
    assert "text=shop-2" in page.url
    page.get_by_role("link", name="Severity").click()
    expect(page.get_by_role("columnheader", name="Severity")).to_have_attribute(
        "aria-sort", "descending"
    )
    assert "text=shop-2" in page.url
    page.get_by_role("link", name="Decisions").click()
    expect(page.get_by_text("0 decisions")).to_be_visible()
    shot(page, f"register-decisions-{name}")
    assert not scripts or problems(page) == []
    assert not overflows(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with GitHub")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "size", "dark"), [("desktop", DESKTOP, True), ("phone", PHONE, False)]
)
def test_all_kinds_of_decisions(
    signed_in: Place, visit: Visit, name: str, size: tuple[int, int], *, dark: bool
) -> None:
    page = visit(size, dark=dark)
    page.goto(f"{signed_in.url}/register")
    page.get_by_role("button", name="Sign in with GitHub").click()
    page.get_by_role("link", name="Decisions").click()
    page.get_by_label("What").select_option("everything")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("5 decisions")).to_be_visible()
    expect(page.get_by_text("while the check was red")).to_be_visible()
    assert all(time.get_attribute("title") for time in page.locator("td time").all())
    shot(page, f"register-all-decisions-{name}")
    assert problems(page) == []
    assert not overflows(page)
