"""Every state of the list and of a lead as people see it.

Checked by axe, in both schemes, at 320 px and on paper.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browsers import Scheme
from tests.e2e.desk import names, quiet_page, sign_in, write
from tests.e2e.test_looks import RULES
from tests.site import Site

Desk = Callable[..., Page]
LOOKS: tuple[tuple[int, Scheme], ...] = ((1200, "light"), (320, "dark"))  # widths and schemes
LIGHT_GROUND = "rgb(250, 249, 246)"


def look_at(page: Page, words: str) -> None:
    """Check that the page shows these words, and its looks.

    axe finds no fault on a wide screen or on a narrow one in the dark, and no page scrolls
    sideways.
    """
    expect(page.locator("main")).to_contain_text(words)
    # Wait for the style sheets too.
    page.wait_for_load_state()
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        findings = Axe().run(page, options=RULES)
        assert findings.response["violations"] == [], findings.generate_report()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1200, "height": 900})
    page.emulate_media(color_scheme="light")


@pytest.fixture
def empty(browser: Browser, site: Site) -> Iterator[Page]:
    """An attorney's page at a firm without leads."""
    with quiet_page(browser, base_url=site.url) as page:
        page.goto("/dashboard/")
        sign_in(page)
        yield page


def test_a_firm_with_nobody_in_it(empty: Page, site: Site) -> None:
    look_at(empty, "No leads yet")
    expect(empty.get_by_role("link", name=site.url)).to_be_visible()
    write(site, "Ana")
    empty.reload()
    empty.get_by_role("button", name="Mark reached out").click()
    look_at(empty, "No one is waiting")
    expect(empty.get_by_role("button", name="Undo")).to_be_visible()
    empty.goto("/dashboard/?status=&q=nobody")
    look_at(empty, "No match for “nobody”")
    empty.get_by_role("link", name="Clear the search").click()
    empty.get_by_role("link", name="Ana Ruiz").click()
    empty.get_by_role("button", name="Undo").click()
    empty.goto("/dashboard/?status=REACHED_OUT")
    look_at(empty, "No one has been reached out to yet")


def test_the_list_in_all_its_states(desk: Desk) -> None:
    page = desk()
    latest = "?status=REACHED_OUT&sort_by=reached_out_at&sort_desc=true&size=10"
    for query, words in {
        "?size=10": "Half of the leads reached out to had waited",
        "?status=&sort_by=email&q=a&size=10&page=2": "by e-mail, A to Z",
        latest: "latest reached out first",
    }.items():
        page.goto(f"/dashboard/{query}")
        look_at(page, words)
    page.goto("/dashboard/?size=10")
    expect(page.get_by_role("img", name="Submissions per day")).to_be_visible()
    name = names(page)[0]
    page.locator("tbody").get_by_role("button").first.click()
    look_at(page, f"{name} is marked as reached out")


def test_long_counts_keep_the_tabs_apart_on_a_narrow_screen(desk: Desk) -> None:
    page = desk(viewport={"width": 320, "height": 800})
    page.goto("/dashboard/")
    write_long = "counts => counts.forEach(count => count.textContent = 'more than 1,000')"
    page.locator(".tabs b").evaluate_all(write_long)
    boxes = [tab.bounding_box() for tab in page.locator(".tabs li").all()]
    for before, after in itertools.pairwise(boxes):
        assert before is not None
        assert after is not None
        assert after["x"] - (before["x"] + before["width"]) >= 8
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


def test_a_lead_in_all_its_states(desk: Desk, firm: Site, whole_browser: Browser) -> None:
    letters = len(firm.smtp.messages)
    write(firm, "Wilhelmina")
    firm.smtp.wait_for(letters + 2)
    page, other = desk("ana", whole_browser), desk("joe")
    for reader in (page, other):
        reader.goto("/dashboard/?q=wilhelmina")
        reader.get_by_role("link", name="Wilhelmina Ruiz").click()
    page.get_by_text("Preview").click()
    look_at(page, "Confirmation sent")
    write(firm, "Wilhelmina")
    page.get_by_role("button", name="Mark as reached out").click()
    look_at(page, "A newer submission has arrived; review it first")
    other.reload()
    for reader in (other, page):
        reader.get_by_role("button", name="Mark as reached out").click()
    look_at(page, "Already marked by joe at")
    path = page.url.partition("?")[0]
    for part in ("History", "Submissions"):
        page.goto(f"{path}/{part.lower()}")
        look_at(page, f"{part} of Wilhelmina Ruiz")
    page.get_by_role("link", name="Wilhelmina Ruiz").click()
    page.get_by_role("link", name="Erase this lead").click()
    look_at(page, "To confirm, type LD-")
    page.get_by_role("button", name="Erase permanently").click()
    look_at(page, "To erase this lead, type its reference: LD-")


def pressable(page: Page) -> list[str]:
    """Return the visible parts that work only on a screen.

    The names of leads and the headings do not count: on paper they are plain words.
    """
    parts = page.locator("button, nav, input, summary, iframe, .button, :not(th) > .target").all()
    return [part.inner_text() for part in parts if part.is_visible()]


def test_on_paper_there_is_nothing_to_press(desk: Desk) -> None:
    page = desk(color_scheme="dark")
    page.goto("/dashboard/?status=&sort_by=last_name&size=10")
    page.emulate_media(media="print")
    assert len(names(page)) == 10
    assert pressable(page) == []
    expect(page.get_by_role("columnheader")).to_have_text(
        ["Name↑", "Received", "Waiting", "Resume"]
    )
    expect(page.get_by_role("heading", name="The last 30 days")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == LIGHT_GROUND
    page.emulate_media(media="screen")
    page.locator("tbody .name").first.click()
    page.wait_for_url("**/leads/*")
    page.emulate_media(media="print")
    for told in ("Reference", "SHA-256", "Details and resume received", "Times are in UTC"):
        expect(page.get_by_text(told)).to_be_visible()
    assert pressable(page) == []
