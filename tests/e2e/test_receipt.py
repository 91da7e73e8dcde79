"""The receipt that the link in the e-mail opens, and a request for erasure in two steps."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from leadapp.models.leads import Event, Lead
from tests import samples
from tests.e2e.test_looks import look_at
from tests.factories import PASSWORD
from tests.site import Site

FIELDS = {"first_name": "José", "last_name": "Álvarez", "email": "jose@example.com"}
LINK = re.compile(r"http://[^\s\"]+/receipt/[^\s\"]+")


@pytest.fixture
def receipt(site: Site) -> str:
    """The receipt's URL in the confirmation e-mail of a new lead."""
    made = httpx.post(f"{site.url}/api/v1/leads", data=FIELDS, files=samples.upload())
    made.raise_for_status()
    letter = site.smtp.wait_for_one_to("jose@example.com", 2)
    in_text = LINK.search(letter.text)
    in_html = LINK.search(letter.html)
    assert in_text
    assert in_html
    assert in_text[0] == in_html[0]
    return in_text[0]


@pytest.fixture(params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Page:
    return browser.new_context(base_url=site.url, color_scheme=request.param).new_page()


@pytest.fixture
def plain(browser: Browser, site: Site) -> Page:
    """A browser without JavaScript."""
    return browser.new_context(base_url=site.url, java_script_enabled=False).new_page()


@pytest.fixture
def asked(site: Site) -> Callable[[], bool]:
    """`asked()` returns whether the lead has a pending erasure request."""

    def look() -> bool:
        with site.database() as connection:
            return connection.scalar(select(Lead.erasure_asked_at)) is not None

    return look


def sign_in(page: Page) -> None:
    page.get_by_label("Username or e-mail").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def open_lead(page: Page) -> None:
    page.goto("/dashboard/")
    sign_in(page)
    page.get_by_role("link", name="José Álvarez").click()


def test_the_receipt_says_how_things_stand_and_no_more(
    plain: Page, page: Page, receipt: str
) -> None:
    plain.goto(receipt)
    # Once as the label of the time, and once as the status.
    expect(plain.get_by_text("Received", exact=True)).to_have_count(2)
    for personal in ("José", "Álvarez", "jose", "cv.pdf", "***"):
        expect(plain.locator("body")).not_to_contain_text(personal)
    open_lead(page)
    page.get_by_role("button", name="Mark as reached out").click()
    plain.reload()
    expect(plain.get_by_text("The firm has been in touch")).to_be_visible()
    expect(plain.locator("main")).not_to_contain_text("ana")


def test_looking_asks_for_nothing(plain: Page, receipt: str, asked: Callable[[], bool]) -> None:
    plain.goto(receipt)
    plain.get_by_role("link", name="Ask us to erase your details").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text(
        "Ask the firm to erase your details?"
    )
    plain.get_by_role("link", name="No, go back").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Your receipt")
    assert not asked()


def test_asking_twice_tells_the_firm_once_and_erases_nothing(
    plain: Page, site: Site, receipt: str, asked: Callable[[], bool]
) -> None:
    plain.goto(f"{receipt}?step=erase")
    plain.get_by_role("button", name="Yes, ask the firm to erase them").click()
    expect(plain.locator(".notice")).to_have_text(
        "You asked us to erase your details. An attorney will do it."
    )
    assert asked()
    assert httpx.post(receipt).status_code == 303
    letter = site.smtp.wait_for(3)[-1]
    assert letter.recipients == ["attorney@example.com"]
    assert "Erasure requested" in letter.text
    with site.database() as connection:
        assert connection.scalars(
            select(Event.kind).where(Event.kind == "erasure_asked")
        ).all() == ["erasure_asked"]
    plain.goto(f"{receipt}?step=erase")
    expect(plain.get_by_role("button")).to_have_count(0)


def test_the_attorney_reads_who_asked(plain: Page, page: Page, site: Site, receipt: str) -> None:
    httpx.post(receipt)
    body = site.smtp.wait_for(3)[-1].html
    link = re.search(r'href="([^"]+/dashboard/leads/[^"]+)"', body)
    assert link
    page.goto(link[1])
    sign_in(page)
    expect(page.locator(".notice.waiting")).to_have_text(
        re.compile("^This person requested erasure on ")
    )
    expect(page.locator(".history")).to_contain_text("Erasure requested")
    row = page.get_by_role("row").filter(has_text="Erasure request")
    row.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("status")).to_have_text("The e-mail will be sent again")
    expect(page.locator(".history")).to_contain_text("E-mail sent again by ana")
    assert site.smtp.wait_for(4)[-1].message["Subject"].startswith("Erasure requested")


def test_each_state_looks_right(visitor: Page, receipt: str) -> None:
    said: list[str] = []
    visitor.on("console", lambda message: said.append(message.text))
    visitor.goto(receipt)
    look_at(visitor, said)
    visitor.get_by_role("link", name="Ask us to erase your details").click()
    look_at(visitor, said)
    visitor.get_by_role("button", name="Yes, ask the firm to erase them").click()
    look_at(visitor, said)
    open_lead(visitor)
    look_at(visitor, said)


def test_a_made_up_receipt_is_nobodys(plain: Page) -> None:
    answer = plain.goto("/receipt/made-up")
    assert answer
    assert answer.status == 404
