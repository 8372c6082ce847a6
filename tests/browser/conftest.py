"""One browser for all modules here: Playwright runs only one at a time in a thread."""

from tests.browser.fixtures import browser, visit

__all__ = ["browser", "visit"]
