"""Sending with JavaScript: how far it is, one press, a lost connection, and the words the server would say."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import func, select

from leadapp.errors import MESSAGES
from leadapp.models import Submission
from tests import samples
from tests.site import Site

STATIC = Path(__file__).parents[2] / "leadapp" / "static"
TYPED = {"First name": "José", "Last name": "Álvarez", "E-mail": "jose@example.com"}
SLOW = 100_000  # bytes a second: the file of the tests takes nine
HURRY = """const timeout = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout");
Object.defineProperty(XMLHttpRequest.prototype, "timeout", {set(ms) { timeout.set.call(this, ms / 100); }});"""


@pytest.fixture
def prospect(browser: Browser) -> Iterator[Page]:
    """A browser that complains of nothing but the answers that the tests provoke."""
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert [words for words in said if not words.startswith("Failed to load resource")] == []


@pytest.fixture
def cv(tmp_path: Path) -> Path:
    file = tmp_path / "cv.pdf"
    file.write_bytes(samples.pdf(size=900_000))
    return file


@pytest.fixture
def posts(prospect: Page) -> list[str]:
    """The requests that have carried a form."""
    sent: list[str] = []
    prospect.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


@pytest.fixture
def upload_at(prospect: Page) -> Callable[[int], None]:
    """`upload_at(bytes)` lets so many through a second; -1: all."""
    network = prospect.context.new_cdp_session(prospect)
    network.send("Network.enable")
    free = {"offline": False, "latency": 0, "downloadThroughput": -1}
    return lambda rate: network.send("Network.emulateNetworkConditions", {**free, "uploadThroughput": rate}) and None


def fill(page: Page, site: Site, file: Path, **changed: str) -> None:
    page.goto(site.url)
    for label, words in (TYPED | changed).items():
        page.get_by_label(label).fill(words)
    page.get_by_label("Resume").set_input_files(file)


def press(page: Page, words: str = "Send my details") -> None:
    page.get_by_role("button", name=words).click()


def expect_all_kept(page: Page, words: str) -> None:
    """Everything typed and the file are there, and one notice with these words has the focus."""
    expect(page.locator(".notice")).to_have_text(words)
    expect(page.locator(".notice")).to_be_focused()
    for label, typed in TYPED.items():
        expect(page.get_by_label(label)).to_have_value(typed)
    expect(page.get_by_label("Resume")).to_have_value(re.compile(r"cv\.pdf$"))
    expect(page.get_by_role("progressbar")).to_be_hidden()


def expect_sent(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your details")
    assert "/submitted/" in page.url


def submissions(site: Site) -> int:
    with site.database() as connection:
        return connection.scalar(select(func.count()).select_from(Submission)) or 0


def said(page: Page) -> list[str]:
    """What a page that refuses says, to eyes and to ears: title, summary with its links, words above fields."""
    expect(page.locator("section.notice")).to_be_focused()
    bad = page.locator("[aria-invalid=true]").all()
    return [
        page.title(),
        *page.locator("section.notice").all_inner_texts(),
        *(link.get_attribute("href") or "" for link in page.locator("section.notice a").all()),
        *page.locator(".bad .error").all_inner_texts(),
        *(
            f"{field.get_attribute('id')}: {' '.join((field.get_attribute('aria-describedby') or '').split())}"
            for field in bad
        ),
    ]


def test_the_way_of_a_file_is_shown_and_can_be_cancelled(
    prospect: Page, site: Site, cv: Path, upload_at: Callable[[int], None]
) -> None:
    fill(prospect, site, cv)
    upload_at(SLOW)
    press(prospect)
    expect(prospect.get_by_role("status")).to_have_text("Sending")
    expect(prospect.get_by_role("progressbar", name="Sending")).to_be_visible()
    expect(prospect.get_by_text(re.compile(r"^\s*[1-9]\d? %$"))).to_be_visible()
    prospect.get_by_role("button", name="Cancel").click()
    expect_all_kept(prospect, MESSAGES["cancelled"])
    assert submissions(site) == 0
    upload_at(-1)
    press(prospect)
    expect_sent(prospect)


def test_a_dropped_connection_keeps_everything(
    prospect: Page, start_site: Callable[..., Site], cv: Path, upload_at: Callable[[int], None]
) -> None:
    site = start_site("sqlite", DELIVERY="external")
    fill(prospect, site, cv)
    upload_at(SLOW)
    press(prospect)
    expect(prospect.get_by_text(re.compile(r"^\s*[1-9]\d? %$"))).to_be_visible()
    site.server.kill()
    expect_all_kept(prospect, MESSAGES["connection_lost"])
    site.server.start()
    upload_at(-1)
    press(prospect)
    expect_sent(prospect)
    assert submissions(site) == 1


def test_a_silent_line_counts_as_dropped(prospect: Page, site: Site, cv: Path) -> None:
    prospect.add_init_script(HURRY)
    prospect.route("**/", lambda route: route.continue_() if route.request.method == "GET" else None)
    fill(prospect, site, cv)
    press(prospect)
    expect_all_kept(prospect, MESSAGES["connection_lost"])
    prospect.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("twice", ["pointer", "keyboard"])
def test_a_double_press_is_one_submission(prospect: Page, site: Site, cv: Path, posts: list[str], twice: str) -> None:
    fill(prospect, site, cv)
    if twice == "pointer":
        prospect.get_by_role("button", name="Send my details").dblclick()
    else:
        prospect.get_by_label("E-mail").press("Enter")
        prospect.get_by_label("E-mail").press("Enter")
    expect_sent(prospect)
    assert (len(posts), submissions(site)) == (1, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [("cv.txt", b"Ana"), ("cv.PDF", samples.EMPTY), ("cv.docx", samples.oversize_pdf())],
    ids=["type", "empty", "too large"],
)
def test_a_wrong_file_is_refused_before_it_travels(
    prospect: Page, browser: Browser, site: Site, posts: list[str], tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    plain = browser.new_context(java_script_enabled=False).new_page()
    for page in (plain, prospect):
        fill(page, site, file, **{"Last name": "", "E-mail": "jose@"})
        press(page)
        expect(page).to_have_title(re.compile("^Error: "))
    assert said(prospect) == said(plain)
    assert posts == []
    plain.context.close()


def test_a_right_file_after_a_wrong_one_is_sent(prospect: Page, site: Site, cv: Path, tmp_path: Path) -> None:
    file = tmp_path / "cv.txt"
    file.write_bytes(b"Ana")
    fill(prospect, site, file)
    press(prospect)
    press(prospect)
    expect(prospect.locator(".error")).to_have_count(1)
    prospect.get_by_label("Resume").set_input_files(cv)
    press(prospect)
    expect_sent(prospect)


def test_a_failed_form_keeps_the_file_and_the_script(prospect: Page, site: Site, cv: Path, posts: list[str]) -> None:
    fill(prospect, site, cv, **{"E-mail": "jose@"})
    press(prospect)
    expect(prospect).to_have_title(re.compile("^Error: "))
    expect(prospect.get_by_role("region", name="There is a problem")).to_be_focused()
    expect(prospect.get_by_text("cv.pdf, 878 KB - kept")).to_be_visible()
    assert len(posts) == 1
    prospect.get_by_label("E-mail").fill("jose@example.com")
    prospect.get_by_label("E-mail").press("Enter")
    expect_sent(prospect)
    with site.database() as connection:
        assert connection.scalars(select(Submission.size)).all() == [900_000]


def test_back_and_sent_again_is_the_same_submission(prospect: Page, site: Site, cv: Path) -> None:
    fill(prospect, site, cv)
    for _ in range(2):
        press(prospect)
        expect_sent(prospect)
        address = prospect.url
        prospect.go_back()
        expect(prospect.get_by_label("Last name")).to_have_value("Álvarez")
    assert submissions(site) == 1
    prospect.goto(address)
    expect_sent(prospect)


def test_a_robot_would_not_press_again(prospect: Page, site: Site, cv: Path) -> None:
    fill(prospect, site, cv)
    prospect.locator("[name=website]").evaluate("field => { field.value = 'http://example.com' }")
    press(prospect)
    expect(prospect.locator(".notice")).to_be_focused()
    expect(prospect.locator(".notice")).to_have_text(MESSAGES["honeypot_filled"])
    expect(prospect.locator("[name=website]")).to_have_value("")
    assert submissions(site) == 0
    press(prospect, "Press send again")
    expect_sent(prospect)


@pytest.mark.parametrize("ours", [True, False], ids=["our page", "a proxy's page"])
def test_a_page_without_the_form_does_not_take_the_form_away(prospect: Page, site: Site, cv: Path, ours: bool) -> None:
    with site.client() as client:
        page = client.get("/nowhere").text if ours else "<h1>Bad gateway</h1>"

    def answer(route: Route) -> None:
        if route.request.method == "GET":
            route.continue_()
        else:
            route.fulfill(status=503, body=page, content_type="text/html")

    prospect.route("**/", answer)
    fill(prospect, site, cv)
    press(prospect)
    expect_all_kept(prospect, MESSAGES["http_404" if ours else "connection_lost"])


def test_what_is_served_to_everybody_stays_small() -> None:
    assert (STATIC / "leadapp.js").stat().st_size <= 4096
    assert (STATIC / "leadapp.css").stat().st_size <= 8192
