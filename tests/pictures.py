"""Takes the pictures of the README and the docs: `make pictures`."""

import tempfile
from base64 import b64encode
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import browsers, samples
from tests.e2e.desk import sign_in
from tests.factories import PASSWORD
from tests.servers import Gunicorn, MailServer
from tests.site import Site

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PEOPLE = [
    ("José", "Álvarez", "jose.alvarez@example.com", "cv.pdf", samples.pdf(size=225_000)),
    ("Mary", "O'Brien", "mary@example.com", "resume.docx", samples.docx()),
    ("Wei", "Li", "wei.li@example.com", "wei-li.pdf", samples.pdf(size=1_260_000)),
]
FRAME = (
    "<body style='margin:0;padding:24px;display:flex;gap:24px;align-items:flex-start;"
    "background:#ded9cf'>{}</body>"
)
IMAGE = "<img style='height:560px' src='data:image/png;base64,{}'>"


def main() -> None:
    """Take pictures of a site with three leads, then of one with 500 more."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        smtp = MailServer()
        instance = Path(folder) / "instance"
        database = f"sqlite:///{folder}/leads.db"
        server = Gunicorn(instance, database, smtp.port, FIRM_NAME="Hartwell & Lane")
        site = Site(server, smtp)
        site.migrate()
        server.start()
        site.create_user("ana", PASSWORD)
        for first, last, email, filename, content in PEOPLE:
            fields = {"first_name": first, "last_name": last, "email": email}
            files = samples.upload(content, filename)
            sent = httpx.post(f"{site.url}/api/v1/leads", data=fields, files=files)
            sent.raise_for_status()
        browser = playwright.chromium.launch(**browsers.whole())
        session = browser.new_context(base_url=site.url)
        page = session.new_page()
        page.goto("/dashboard/")
        sign_in(page)
        take_form_and_list(browser, browser.new_context(base_url=site.url), session)
        server.flask("seed-demo")
        take_desk(session)
        take_phone(browser, session)
        browser.close()
        site.close()


def take_form_and_list(browser: Browser, stranger: BrowserContext, session: BrowserContext) -> None:
    """Write docs/pictures/form-and-list.png, for the README."""
    form = open_page(stranger, "/", 620, 1000)
    leads = open_page(session, "/dashboard/", 1160, 1000, dark=True)
    side_by_side(browser, [form, leads], "form-and-list", 1096)


def take_desk(session: BrowserContext) -> None:
    """Write list.png and lead.png, for the attorneys' guide."""
    page = open_page(session, "/dashboard/?size=10", 1160, 900)
    page.locator("tbody").get_by_role("button").nth(2).click()
    page.get_by_role("button", name="Undo").wait_for()
    page.screenshot(path=PICTURES / "list.png", full_page=True)
    row = page.get_by_role("row").filter(has_text="PDF").nth(1)
    row.get_by_role("link").click()
    page.set_viewport_size({"width": 1160, "height": 1250})
    with page.expect_event(
        "framenavigated", lambda frame: frame.url.startswith("chrome-extension://")
    ):
        page.get_by_text("Preview").click()
    # Wait until the viewer has drawn the PDF.
    page.wait_for_timeout(3000)
    page.screenshot(path=PICTURES / "lead.png")


def take_phone(browser: Browser, session: BrowserContext) -> None:
    """Write phone.png, for the attorneys' guide."""
    leads = open_page(session, "/dashboard/?size=10", 400, 860, dark=True)
    lead = open_page(session, "/dashboard/?size=10", 400, 860, dark=True)
    lead.locator("tbody .name").first.click()
    side_by_side(browser, [leads, lead], "phone", 593)


def open_page(
    session: BrowserContext, path: str, width: int, height: int, dark: bool = False
) -> Page:
    """Open a page in a window of this size."""
    page = session.new_page()
    page.set_viewport_size({"width": width, "height": height})
    scheme: browsers.Scheme = "light"
    if dark:
        scheme = "dark"
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    return page


def side_by_side(browser: Browser, pages: list[Page], name: str, width: int) -> None:
    """Write screenshots of two pages into one picture."""
    both = browser.new_page(viewport={"width": width, "height": 608})
    images = ""
    for page in pages:
        images += IMAGE.format(b64encode(page.screenshot()).decode())
    both.set_content(FRAME.format(images))
    both.screenshot(path=PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
