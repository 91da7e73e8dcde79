"""The public form as a prospect uses it in a browser with JavaScript."""

import re
from pathlib import Path

from playwright.sync_api import Page, Request, expect
from sqlalchemy import func, select

from leadapp.models.leads import Submission
from tests import samples
from tests.servers.proxy import Proxy
from tests.site import Site

TYPED = {"First name": "José", "Last name": "Álvarez", "E-mail": "jose@example.com"}
SIZE = 900_000


def resume(folder: Path) -> Path:
    """Write a valid resume."""
    file = folder / "cv.pdf"
    file.write_bytes(samples.pdf(size=SIZE))
    return file


def fill(page: Page, site: Site | Proxy, file: Path, **changed: str) -> None:
    """Open the form, fill in every field and choose the file; `changed` replaces defaults."""
    page.goto(site.url)
    for label, words in (TYPED | changed).items():
        page.get_by_label(label).fill(words)
    page.get_by_label("Resume").set_input_files(file)


def record_posts(page: Page) -> list[str]:
    """Return a list that receives the URL of each later POST request of the page."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", note)
    return sent


def press(page: Page, words: str = "Send my details") -> None:
    """Press the button."""
    page.get_by_role("button", name=words).click()


def expect_all_kept(page: Page, words: str) -> None:
    """Check that all input and the file are kept.

    The only notice has these words and the focus.
    """
    expect(page.locator(".notice")).to_have_text(words)
    expect(page.locator(".notice")).to_be_focused()
    for label, typed in TYPED.items():
        expect(page.get_by_label(label)).to_have_value(typed)
    expect(page.get_by_label("Resume")).to_have_value(re.compile(r"cv\.pdf$"))
    expect(page.get_by_role("progressbar")).to_be_hidden()


def expect_sent(page: Page) -> None:
    """Check that the page after sending and its address are shown."""
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your details")
    assert "/submitted/" in page.url


def submissions(site: Site) -> int:
    """Count the stored submissions."""
    with site.database() as connection:
        return connection.scalar(select(func.count()).select_from(Submission)) or 0
