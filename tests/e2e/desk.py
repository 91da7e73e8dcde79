"""Steps of an attorney in a real browser, and checks of the page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page, expect

from tests import samples
from tests.factories import PASSWORD
from tests.site import Site

# The browser itself logs each error response to the console.
REFUSED = re.compile("Failed to load resource: the server responded with a status of 4")
# Also matches resources that tests remove while the page is open.
PROVOKED = re.compile("Failed to load resource")
# Logged when a test types before autofocus runs.
OUTRUN = "Autofocus processing was blocked because a document already has a focused element."


@contextmanager
def quiet_page(browser: Browser, but: re.Pattern[str] = REFUSED, **options: Any) -> Iterator[Page]:
    """Yield a page in a new browser context.

    Its console may show only messages that match `but`.
    """
    context = browser.new_context(**options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    noted = [words for words in said if words != OUTRUN]
    assert [words for words in noted if not but.match(words)] == []


def sign_in(page: Page, name: str = "ana") -> None:
    """Sign in on the page that asks for it."""
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")


def write(site: Site, name: str, email: str = "") -> None:
    """Submit a lead with a resume now."""
    fields = {
        "first_name": name,
        "last_name": "Ruiz",
        "email": email or f"{name}@example.com".lower(),
    }
    answer = httpx.post(f"{site.url}/api/v1/leads", data=fields, files=samples.upload())
    answer.raise_for_status()


def names(page: Page) -> list[str]:
    """Return the names in the list, from top to bottom, once the whole list is loaded."""
    page.wait_for_load_state()
    return page.locator("tbody .name").all_inner_texts()


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus.

    Checks that each element focused on the way is visible and shows its focus.
    """
    # Wait for the style sheet too: it defines how the focus looks.
    page.wait_for_load_state()
    for _ in range(60):
        page.keyboard.press("Tab")
        width, is_there = target.evaluate(
            "target => [getComputedStyle(document.activeElement).outlineWidth,"
            " target === document.activeElement]"
        )
        assert width == "3px"
        if is_there:
            expect(target).to_be_in_viewport()
            return
    raise AssertionError(f"nobody comes to {target} by Tab")
