"""A whole day in the browser leaves no personal data, secret or file name in the logs."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import samples
from tests.e2e.form import fill, press
from tests.site import Site

PROSPECT = {
    "First name": "Zebedee",
    "Last name": "Quuxley",
    "E-mail": "zebedee@planted.example.com",
}
PASSWORD, WRONG, NEW = "Planted-horse-7", "Planted-Wrong-1", "Planted-New-22"


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A valid resume with a unique name."""
    file = tmp_path / "quuxley-planted.pdf"
    file.write_bytes(samples.pdf())
    return file


def sends(page: Page, site: Site, file: Path) -> list[str]:
    """Submit as a prospect after one refusal, and open the receipt.

    Returns the secrets in the URLs.
    """
    typed = dict(PROSPECT)
    typed["E-mail"] = "zebedee@"
    fill(page, site, file, **typed)
    press(page)
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_label("E-mail").fill(PROSPECT["E-mail"])
    press(page)
    page.wait_for_url("**/submitted/*")
    letter = site.smtp.wait_for_one_to(PROSPECT["E-mail"], 2)
    [receipt] = re.findall(r"\S+/receipt/(\S+)", letter.text)
    page.goto(f"/receipt/{receipt}?step=erase")
    return [page.url.rpartition("/")[2], receipt]


def resets(page: Page, site: Site) -> str:
    """Reset an attorney's forgotten password, and return the link's secret."""
    page.goto("/auth/forgot")
    page.get_by_label("E-mail").fill("planted-attorney@example.com")
    page.get_by_role("button", name="Send me the link").click()
    letter = site.smtp.wait_for_one_to("planted-attorney@example.com", 3)
    [token] = re.findall(r"\S+/auth/reset/(\S+)", letter.text)
    page.goto(f"/auth/reset/{token}")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set a new password").click()
    return token


def signs_in(page: Page, password: str) -> None:
    page.get_by_label("Username or e-mail").fill("planted-attorney")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def reads(page: Page) -> None:
    """Search, read, download and mark as an attorney."""
    page.get_by_label("Name, e-mail or reference").fill(PROSPECT["Last name"])
    page.get_by_label("Name, e-mail or reference").press("Enter")
    page.get_by_role("link", name="Zebedee Quuxley").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().stat().st_size > 0
    page.get_by_role("button", name="Mark as reached out").click()


def test_the_log_names_nobody(page: Page, site: Site, planted: Path) -> None:
    site.create_user("planted-attorney", PASSWORD)
    secrets = sends(page, site, planted)
    secrets.append(resets(page, site))
    signs_in(page, WRONG)
    signs_in(page, NEW)
    secrets += [cookie["value"] for cookie in page.context.cookies()]
    reads(page)
    secrets.append(site.token("planted-attorney", NEW))
    bearer = {"Authorization": f"Bearer {secrets[-1]}"}
    found = httpx.get(f"{site.url}/api/v1/leads?q=Quuxley", headers=bearer)
    assert found.json()["total"] == 1
    assert httpx.get(f"{site.url}/receipt/{secrets[1]}x").status_code == 404
    log = site.server.log().lower()
    assert '/resume"' in log
    assert min(map(len, secrets)) > 20
    known = [PASSWORD, WRONG, NEW, "planted", "zebedee", planted.name]
    known.extend(PROSPECT.values())
    known.extend(secrets)
    for private in known:
        assert private.lower() not in log, private
