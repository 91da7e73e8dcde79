"""A whole day in a real browser: a prospect sends; an attorney reads, marks and downloads."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from leadapp.codes import Code
from tests import samples
from tests.browsers import Scheme
from tests.e2e.test_looks import look_at
from tests.factories import PASSWORD
from tests.site import Site


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def prospect(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """A prospect's browser, which may log no errors."""
    context = browser.new_context(base_url=site.url, java_script_enabled=request.param)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert [words for words in said if "422" not in words] == []


@pytest.fixture
def cv(tmp_path: Path) -> Path:
    file = tmp_path / "cv.pdf"
    file.write_bytes(samples.pdf(size=150_000))
    return file


@pytest.fixture
def fill(prospect: Page, cv: Path) -> Callable[..., None]:
    """`fill()` fills in every field and chooses the file; its arguments replace defaults."""

    def type_all(email: str = "jose@example.com") -> None:
        prospect.goto("/")
        prospect.get_by_label("First name").fill("José")
        prospect.get_by_label("Last name").fill("Álvarez")
        prospect.get_by_label("E-mail").fill(email)
        prospect.get_by_label("Resume").set_input_files(cv)

    return type_all


def sign_in(page: Page) -> None:
    page.get_by_label("Username or e-mail").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_lead_from_the_form_to_the_first_contact(
    prospect: Page, fill: Callable[..., None], page: Page, site: Site, cv: Path
) -> None:
    fill()
    prospect.get_by_role("button", name="Send my details").click()
    expect(prospect.get_by_role("heading", level=1)).to_have_text("We have your details")
    expect(prospect.locator("main")).to_contain_text("j***@example.com")
    received = {letter.recipients[0]: letter for letter in site.smtp.wait_for(2)}
    assert received.keys() == {"jose@example.com", "attorney@example.com"}
    notice = received["attorney@example.com"]
    link = re.search(r"http://\S+/dashboard/leads/\S+", notice.text)
    assert link
    page.goto(link[0])
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("José Álvarez")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "cv.pdf"
    assert download.value.path().read_bytes() == cv.read_bytes()
    page.get_by_role("button", name="Mark as reached out").click()
    expect(page.get_by_role("status")).to_contain_text("José Álvarez is marked as reached out")
    page.goto("/dashboard/")
    expect(page.locator("main")).not_to_contain_text("jose@example.com")
    page.get_by_role("link", name=re.compile("Reached out")).first.click()
    expect(page.locator("main")).to_contain_text("jose@example.com")


def test_a_failed_form_takes_the_focus_and_keeps_the_file(
    prospect: Page, fill: Callable[..., None], site: Site
) -> None:
    fill(email="jose@")
    prospect.get_by_role("button", name="Send my details").click()
    expect(prospect).to_have_title(re.compile("^Error: "))
    expect(prospect.locator(":focus")).to_contain_text("There is a problem")
    expect(prospect.locator("main")).to_contain_text("cv.pdf")
    prospect.get_by_label("E-mail").fill("jose@example.com")
    prospect.get_by_role("button", name="Send my details").click()
    expect(prospect.get_by_role("heading", level=1)).to_have_text("We have your details")
    expect(prospect.locator("main")).to_contain_text("146 KB")


def test_signing_out_ends_the_session(page: Page, site: Site) -> None:
    page.goto("/dashboard/")
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    # A copy of the cookies, as an attacker could have made.
    # Playwright reads and writes cookies as two types with the same fields.
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto("/dashboard/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_second_sign_in_tab_leads_on(page: Page, site: Site) -> None:
    other_tab = page.context.new_page()
    page.goto("/dashboard/")
    other_tab.goto("/dashboard/?status=REACHED_OUT")
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Leads")
    sign_in(other_tab)
    expect(other_tab).to_have_url(re.compile(r"/dashboard/\?status=REACHED_OUT$"))
    expect(other_tab.get_by_role("heading", level=1)).to_have_text("Leads")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stale_sign_in_page_says_what_to_do(page: Page, site: Site, scheme: Scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/dashboard/?status=REACHED_OUT")
    page.context.clear_cookies()
    sign_in(page)
    expect(page.locator(".notice")).to_have_text(Code.SIGN_IN_STALE.words)
    expect(page.locator(".notice")).to_be_focused()
    expect(page.get_by_label("Username or e-mail")).to_have_value("ana")
    expect(page.get_by_label("Password")).to_have_value("")
    look_at(page, [])
    sign_in(page)
    expect(page).to_have_url(re.compile(r"/dashboard/\?status=REACHED_OUT$"))
