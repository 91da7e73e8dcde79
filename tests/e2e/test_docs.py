"""The API's pages in a real browser: tried out with a token and a file, and their looks.

Covers printing, the dark scheme and a phone's screen.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect
from sqlalchemy import delete

from leadapp.models.accounts import User
from tests import samples
from tests.blocks import blocks, type_in
from tests.e2e.test_looks import RULES
from tests.factories import PASSWORD
from tests.site import Site

SAMPLES = re.compile(r'<pre data-sample="(\w+)"><code>(.*?)</code></pre>', re.DOTALL)
STRICT_CURL = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'


@pytest.fixture
def quiet(page: Page, site: Site) -> Iterator[Page]:
    """A page that sends requests to no other host and logs no errors."""
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    def note(request: Request) -> None:
        if not request.url.startswith(site.url):
            said.append(request.url)

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", note)
    yield page
    assert said == []


@pytest.fixture(params=["light", "dark"])
def reader(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Page:
    return browser.new_context(base_url=site.url, color_scheme=request.param).new_page()


@pytest.fixture(scope="module")
def _documented(start_site: Callable[..., Site]) -> Site:
    site = start_site()
    site.create_user("ana", "Counsel4You")
    return site


@pytest.fixture
def fresh(_documented: Site, tmp_path: Path) -> Site:
    """A site with only the account and the file that the docs mention."""
    _documented.empty()
    with _documented.database() as connection:
        connection.execute(delete(User).where(User.username_key != "ana"))
    (tmp_path / "cv.pdf").write_bytes(samples.pdf())
    return _documented


def unfold(page: Page, operation: str) -> Locator:
    """Open an operation of Swagger UI and prepare it to run."""
    block = page.locator(f"[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def test_a_token_and_a_file_work_in_swagger_ui(quiet: Page, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "cv.pdf"
    file.write_bytes(samples.pdf())
    quiet.goto("/docs")
    quiet.get_by_role("button", name="Authorize").first.click()
    quiet.locator(".auth-container input").fill(site.token("ana", PASSWORD))
    quiet.get_by_role("button", name="Apply credentials").click()
    quiet.get_by_role("button", name="Close").click()
    submit = unfold(quiet, "submit_lead")
    expect(submit.get_by_placeholder("first_name")).to_have_value("José")
    submit.locator("input[type=file]").set_input_files(file)
    submit.get_by_role("button", name="Execute").click()
    expect(submit.locator(".live-responses-table tbody .response-col_status")).to_have_text("201")
    listing = unfold(quiet, "list_leads")
    listing.get_by_role("button", name="Execute").click()
    expect(listing.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")
    expect(listing.locator(".live-responses-table")).to_contain_text("jose@example.com")


def test_all_of_swagger_ui_opens_under_the_policy(quiet: Page, site: Site) -> None:
    quiet.goto("/docs")
    for block in quiet.locator(".opblock").all():
        block.locator(".opblock-summary-control").click()
    quiet.get_by_role("button", name="Expand all").last.click()
    expect(quiet.locator(".json-schema-2020-12-property").last).to_be_visible()


def test_the_reference_reads_well_everywhere(reader: Page) -> None:
    reader.goto("/redoc")
    findings = Axe().run(reader, options=RULES)
    assert findings.response["violations"] == [], findings.generate_report()
    assert reader.locator("script").count() == 0
    reader.set_viewport_size({"width": 320, "height": 800})
    assert reader.evaluate("document.scrollingElement.scrollWidth") <= 320
    reader.emulate_media(media="print")
    expect(reader.get_by_role("heading", name="Errors")).to_be_visible()
    expect(reader.get_by_role("navigation", name="Contents")).to_be_hidden()


def test_a_problem_opens_its_explanation(quiet: Page, site: Site) -> None:
    with site.client() as client:
        problem = client.get("/api/v1/leads").json()
    quiet.goto(problem["type"])
    expect(quiet.locator(":target")).to_contain_text(problem["detail"])
    expect(quiet.locator(":target")).to_be_in_viewport()


@pytest.mark.parametrize("language", ["sh", "python"])
def test_every_example_of_the_reference_runs(fresh: Site, tmp_path: Path, language: str) -> None:
    with fresh.client() as client:
        page = client.get("/redoc").text
        fields = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}
        made = client.post("/api/v1/leads", data=fields, files=samples.upload())
        lead = made.json()["id"]
        token = fresh.token("ana", "Counsel4You")
        headers = {"Authorization": f"Bearer {token}"}
        shown = client.get(f"/api/v1/leads/{lead}", headers=headers).json()
    submission = shown["submissions"][0]["id"]
    known = {"TOKEN": token, "LEAD": lead, "SUBMISSION": submission}
    scripts = [script for kind, script in SAMPLES.findall(page) if kind == language]
    assert len(scripts) == 10
    for script in scripts:
        typed = html.unescape(script)
        if language == "sh":
            typed = STRICT_CURL + typed
        type_in(typed, fresh.url, tmp_path, language, **known)


def test_the_five_calls_are_made_with_curl(fresh: Site, tmp_path: Path) -> None:
    script = "".join(blocks("docs/api.md"))
    said = type_in(script, fresh.url, tmp_path)
    assert '"status":"REACHED_OUT"' in said
    assert (tmp_path / "resume.pdf").read_bytes() == (tmp_path / "cv.pdf").read_bytes()
    problem = json.loads((tmp_path / "problem.json").read_text())
    assert problem["errors"][0]["code"] == "email_format"


def test_the_five_calls_are_made_with_python(fresh: Site, tmp_path: Path) -> None:
    script = "".join(blocks("docs/api.md", "python"))
    said = type_in(script, fresh.url, tmp_path, "python")
    assert "1 waiting; that is all" in said
    assert said.splitlines()[-2:] == [
        "#/email email_format Enter an e-mail address like name@example.com",
        "#/resume resume_type The resume must be a PDF, DOC or DOCX file",
    ]
    assert (tmp_path / "resume.pdf").read_bytes() == (tmp_path / "cv.pdf").read_bytes()
