"""A day at the desk with 500 leads.

Find, open, mark and go to the next, undo, export, preview a resume and erase.
"""

import csv
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Download, Locator, Page, expect

from tests.e2e.desk import names, tab_to, write
from tests.site import Site

Desk = Callable[..., Page]
ALL = "/dashboard/?status=&sort_by=last_name&sort_desc=false&size=10"

ALREADY = re.compile(r"^Already marked by ana at \d+ \w+ \d{4}, \d\d:\d\d$")


def button(page: Page, words: str) -> None:
    page.get_by_role("button", name=words).click()


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def read(download: Download) -> list[dict[str, str]]:
    with download.path().open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def walk(page: Page) -> None:
    """Filter, sort, page, open, mark and go to the next, undo, and return to the same row."""
    page.goto("/dashboard/?status=&size=10")
    page.get_by_role("link", name="Pending").click()
    page.get_by_role("link", name="Name", exact=True).click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text(re.compile("^11 to ")).first).to_be_visible()
    place, row = page.url, names(page)
    page.get_by_role("link", name=row[1], exact=True).first.click()
    assert heading(page) == row[1]
    page.get_by_role("link", name="Next").click()
    assert heading(page) == row[2]
    button(page, "Mark and next")
    assert heading(page) == row[3]
    expect(page.get_by_role("status")).to_contain_text(f"{row[2]} is marked as reached out")
    button(page, "Undo")
    expect(page.get_by_role("status")).to_have_text(f"{row[2]} is pending again")
    assert heading(page) == row[2]
    page.get_by_role("link", name="Leads").last.click()
    assert page.url.partition("#")[0] == place
    expect(page.locator(":target .name")).to_have_text(row[2])
    expect(page.locator(":target")).to_be_in_viewport()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_walk_through_the_leads_comes_back_to_its_row(desk: Desk, scripts: bool) -> None:
    walk(desk(java_script_enabled=scripts))


def test_a_mark_in_the_list_leaves_it_where_it_was(desk: Desk) -> None:
    page = desk()
    page.goto(f"{ALL}&q=ch")
    place, before = page.url, names(page)
    row = page.locator("tbody tr").filter(has=page.get_by_role("button")).first
    name = row.locator(".name").inner_text()
    row.get_by_role("button").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{name} is marked as reached out")
    assert (page.url, names(page)) == (place, before)
    button(page, "Undo")
    expect(page.get_by_text("Pending, waiting")).to_be_visible()


def test_two_attorneys_mark_one_lead(desk: Desk, firm: Site) -> None:
    write(firm, "Bartholomew")
    pages = [desk("ana"), desk("joe")]
    for page in pages:
        page.goto("/dashboard/?q=bartholomew")
        page.get_by_role("link", name="Bartholomew Ruiz").click()
    write(firm, "Bartholomew")
    button(pages[0], "Mark as reached out")
    expect(pages[0].locator(".notice")).to_have_text(
        "A newer submission has arrived; review it first"
    )
    expect(pages[0].get_by_role("heading", name="2nd submission")).to_be_visible()
    pages[1].reload()
    for page in pages:
        button(page, "Mark as reached out")
    expect(pages[0].get_by_role("status")).to_have_text("Bartholomew Ruiz is marked as reached out")
    expect(pages[1].get_by_role("status")).to_have_text(
        re.compile(r"^Already marked by ana at \d+ \w+ \d{4}, \d\d:\d\d$")
    )


def test_the_list_leaves_as_a_spreadsheet(desk: Desk) -> None:
    page = desk()
    page.goto(f"{ALL}&q=an&page=2")
    link = page.get_by_role("link", name=re.compile(r"Download \d+ leads as CSV"))
    [total] = re.findall(r"\d+", link.inner_text())
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "leads.csv"
    rows = read(download.value)
    assert len(rows) == int(total) > 20
    assert [f"{row['First name']} {row['Last name']}" for row in rows[10:20]] == names(page)


def test_a_resume_is_looked_at_on_demand(desk: Desk, whole_browser: Browser) -> None:
    page = desk(browser=whole_browser)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{ALL}&status=REACHED_OUT")
    row = page.get_by_role("row").filter(has_text="PDF").first
    row.get_by_role("link").click()
    page.keyboard.press("End")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if url.endswith("/preview")] == []
    # The browser's own PDF viewer opens the file.
    with (
        page.expect_response("**/preview") as response,
        page.expect_event(
            "framenavigated", lambda frame: frame.url.startswith("chrome-extension://")
        ),
    ):
        page.get_by_text("Preview").click()
    assert response.value.status == 200
    assert response.value.headers["content-type"] == "application/pdf"
    expect(page.locator("iframe")).to_be_in_viewport()
    page.reload()
    expect(page.locator(".history")).to_contain_text("Resume previewed by ana")


def test_what_comes_meanwhile_moves_no_row(desk: Desk, firm: Site) -> None:
    page = desk()
    page.clock.install()
    page.goto("/dashboard/?sort_by=created_at&sort_desc=true")
    before = (
        names(page),
        page.locator("tbody tr").first.bounding_box(),
        page.locator("tbody tr").last.bounding_box(),
    )
    for number in range(3):
        write(firm, f"Zz{number}")
    page.clock.fast_forward(61_000)
    link = page.get_by_role("link", name="3 new leads - Refresh")
    expect(link).to_be_visible()
    link.focus()
    with page.expect_response("**/arrivals?*"):
        page.clock.fast_forward(61_000)
    expect(link).to_be_focused()
    after = (
        names(page),
        page.locator("tbody tr").first.bounding_box(),
        page.locator("tbody tr").last.bounding_box(),
    )
    assert after == before
    link.click()
    expect(page.locator("tbody .name").first).to_have_text("Zz2 Ruiz")
    assert names(page)[3:] == before[0][:22]
    expect(page.get_by_role("link", name="Refresh")).to_have_count(0)


def test_a_lead_is_erased_by_typing(desk: Desk, firm: Site) -> None:
    write(firm, "Erasmus")
    page = desk()
    page.goto("/dashboard/?q=erasmus")
    page.get_by_role("link", name="Erasmus Ruiz").click()
    page.get_by_role("link", name="Erase this lead").click()
    button(page, "Erase permanently")
    expect(page).to_have_title(re.compile("^Error: Erase LD-"))
    expect(page.locator(".notice")).to_be_focused()
    hint = page.locator(".hint").inner_text()
    reference = re.findall("LD-[-A-Z0-9]+", hint)[0]
    page.get_by_label("Lead reference").fill(reference.lower())
    button(page, "Erase permanently")
    expect(page.get_by_role("status").first).to_have_text(f"{reference} was erased")
    expect(page.get_by_role("heading", level=2).first).to_have_text("No match for “erasmus”")


def enter(page: Page, target: Locator) -> None:
    tab_to(page, target)
    page.keyboard.press("Enter")


def test_the_keyboard_is_enough(desk: Desk) -> None:
    page = desk()
    page.goto("/dashboard/")
    enter(page, page.get_by_role("link", name="Skip to main content"))
    tab_to(page, page.get_by_label("Name, e-mail or reference"))
    page.keyboard.type("li")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Clear")).to_be_visible()
    row = names(page)
    enter(page, page.get_by_role("link", name=row[0], exact=True).first)
    expect(page.get_by_role("heading", level=1)).to_have_text(row[0])
    enter(page, page.get_by_role("button", name="Mark and next"))
    expect(page.get_by_role("heading", level=1)).to_have_text(row[1])
    enter(page, page.get_by_role("button", name="Undo"))
    expect(page.get_by_text("is pending again")).to_be_visible()
    enter(page, page.locator("summary"))
    expect(page.locator("iframe")).to_be_visible()
    page.reload()
    enter(page, page.get_by_role("link", name="Leads").last)
    expect(page.locator(":target .name")).to_have_text(row[0])
    assert urlsplit(page.url).query.count("q=li") == 1
    # Only focus the button: signing out would end the session of the other tests.
    tab_to(page, page.get_by_role("button", name="Sign out"))
