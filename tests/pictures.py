"""Takes the pictures of the README and the docs: `make pictures`."""

import shutil
import tempfile
from base64 import b64encode
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests import samples
from tests.e2e.conftest import ARGUMENTS, BROWSERS
from tests.factories import PASSWORD
from tests.servers import Gunicorn, MailServer
from tests.site import Site

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
PEOPLE = [
    ("José", "Álvarez", "jose.alvarez@example.com", "cv.pdf", samples.pdf(size=225_000)),
    ("Mary", "O'Brien", "mary@example.com", "resume.docx", samples.docx()),
    ("Wei", "Li", "wei.li@example.com", "wei-li.pdf", samples.pdf(size=1_260_000)),
]
FRAME = "<body style='margin:0;padding:24px;display:flex;gap:24px;align-items:flex-start;background:#ded9cf'>{}</body>"
IMAGE = "<img style='height:560px' src='data:image/png;base64,{}'>"


def main() -> None:
    """Start a site with three leads, and take the form and the list, side by side."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        smtp = MailServer()
        settings = {"FIRM_NAME": "Hartwell & Lane"}
        server = Gunicorn(Path(folder) / "instance", f"sqlite:///{folder}/leads.db", smtp.port, **settings)
        site = Site(server, smtp)
        server.migrate()
        server.start()
        site.create_user("ana", PASSWORD)
        for first, last, email, filename, content in PEOPLE:
            fields = {"first_name": first, "last_name": last, "email": email}
            httpx.post(
                f"{site.url}/api/v1/leads", data=fields, files={"resume": (filename, content)}
            ).raise_for_status()
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        take(browser, site.url)
        browser.close()
        site.close()


def take(browser: Browser, url: str) -> None:
    """Write docs/pictures/form-and-list.png."""
    form = browser.new_page(base_url=url, viewport={"width": 620, "height": 1000})
    form.goto("/")
    leads = browser.new_page(base_url=url, viewport={"width": 1160, "height": 1000}, color_scheme="dark")
    leads.goto("/dashboard/")
    leads.get_by_label("Username or e-mail").fill("ana")
    leads.get_by_label("Password").fill(PASSWORD)
    leads.get_by_role("button", name="Sign in").click()
    leads.get_by_role("heading", name="Leads").wait_for()
    both = browser.new_page(viewport={"width": 1096, "height": 608})
    both.set_content(FRAME.format("".join(IMAGE.format(shot(page)) for page in (form, leads))))
    PICTURES.mkdir(parents=True, exist_ok=True)
    both.screenshot(path=PICTURES / "form-and-list.png")


def shot(page: Page) -> str:
    """Take what is on the screen."""
    return b64encode(page.screenshot()).decode()


if __name__ == "__main__":
    main()
