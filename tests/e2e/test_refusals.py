"""A refused form with JavaScript: words, focus and file are the same as without it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from leadapp.codes import Code
from leadapp.models.leads import Submission
from leadapp.web.script import WORDS
from tests import samples
from tests.e2e.form import (
    SIZE,
    expect_all_kept,
    expect_sent,
    fill,
    press,
    record_posts,
    submissions,
)
from tests.site import Site

# The default of the setting.
CONTACT = "Answer our e-mail to reach us."


@pytest.fixture(params=["cv.txt", "cv.PDF", "cv.docx"], ids=["type", "empty", "too large"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file that cannot be a resume."""
    contents = {"cv.txt": b"Ana", "cv.PDF": samples.EMPTY, "cv.docx": samples.oversize_pdf()}
    file = tmp_path / request.param
    file.write_bytes(contents[request.param])
    return file


def said(page: Page) -> list[str]:
    """Return the texts of a refusal as users see or hear them.

    These are the title, the summary with its links, and the messages above the fields.
    """
    expect(page.locator("section.notice")).to_be_focused()
    notice = page.locator("section.notice")
    words = [page.title()]
    words.extend(notice.all_inner_texts())
    for link in notice.locator("a").all():
        words.append(link.get_attribute("href") or "")
    words.extend(page.locator(".bad .error").all_inner_texts())
    for field in page.locator("[aria-invalid=true]").all():
        notes = (field.get_attribute("aria-describedby") or "").split()
        words.append(f"{field.get_attribute('id')}: {' '.join(notes)}")
    return words


def test_a_wrong_file_is_refused_before_it_travels(
    prospect: Page, browser: Browser, site: Site, file: Path
) -> None:
    posts = record_posts(prospect)
    plain = browser.new_context(java_script_enabled=False).new_page()
    for page in (plain, prospect):
        fill(page, site, file, **{"Last name": "", "E-mail": "jose@"})
        press(page)
        expect(page).to_have_title(re.compile("^Error: "))
    assert said(prospect) == said(plain)
    assert posts == []
    plain.context.close()


def test_a_right_file_after_a_wrong_one_is_sent(
    prospect: Page, site: Site, cv: Path, file: Path
) -> None:
    fill(prospect, site, file)
    press(prospect)
    press(prospect)
    expect(prospect.locator(".error")).to_have_count(1)
    prospect.get_by_label("Resume").set_input_files(cv)
    press(prospect)
    expect_sent(prospect)


def test_a_failed_form_keeps_the_file_and_the_script(prospect: Page, site: Site, cv: Path) -> None:
    fill(prospect, site, cv, **{"E-mail": "jose@"})
    press(prospect)
    expect(prospect).to_have_title(re.compile("^Error: "))
    expect(prospect.get_by_role("region", name="There is a problem")).to_be_focused()
    expect(prospect.get_by_text("cv.pdf, 878 KB - kept")).to_be_visible()
    prospect.get_by_label("E-mail").fill("jose@example.com")
    prospect.get_by_label("E-mail").press("Enter")
    expect_sent(prospect)
    with site.database() as connection:
        assert connection.scalars(select(Submission.size)).all() == [SIZE]


def test_a_robot_would_not_press_again(prospect: Page, site: Site, cv: Path) -> None:
    fill(prospect, site, cv)
    prospect.locator("[name=website]").evaluate("field => { field.value = 'http://example.com' }")
    press(prospect)
    expect(prospect.locator(".notice")).to_be_focused()
    expect(prospect.locator(".notice")).to_have_text(Code.HONEYPOT_FILLED.words)
    expect(prospect.locator("[name=website]")).to_have_value("")
    assert submissions(site) == 0
    press(prospect, "Press send again")
    expect_sent(prospect)


@pytest.mark.parametrize("ours", [True, False], ids=["our page", "a proxy's page"])
def test_a_page_without_the_form_does_not_take_the_form_away(
    prospect: Page, site: Site, cv: Path, ours: bool
) -> None:
    page = "<h1>Bad gateway</h1>"
    words = WORDS["sending_unavailable"].format(status=503, contact=f". {CONTACT}")
    if ours:
        words = Code.HTTP_404.words
        with site.client() as client:
            page = client.get("/nowhere").text

    def answer(route: Route) -> None:
        if route.request.method == "GET":
            route.continue_()
        else:
            route.fulfill(status=503, body=page, content_type="text/html")

    prospect.route("**/", answer)
    fill(prospect, site, cv)
    press(prospect)
    expect_all_kept(prospect, words)
