"""Every page as people see it: in both schemes, on a narrow screen, with a screen reader."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests import samples
from tests.browsers import Scheme
from tests.factories import PASSWORD
from tests.site import Site

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LONG = "Maximiliane-Wilhelmine" * 4


def look_at(page: Page, said: list[str]) -> None:
    """Check that axe finds no fault, that 320 px need no sideways scrolling, and the console."""
    # Wait for the style sheet too.
    page.wait_for_load_state()
    findings = Axe().run(page, options=RULES)
    assert findings.response["violations"] == [], findings.generate_report()
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1200, "height": 900})
    assert [words for words in said if "status of 4" not in words] == []


@pytest.fixture(params=["light", "dark"])
def visitor(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Page:
    context = browser.new_context(base_url=site.url, color_scheme=request.param)
    return context.new_page()


@pytest.fixture
def looks_right(visitor: Page) -> Callable[[], None]:
    said: list[str] = []
    visitor.on("console", lambda message: said.append(message.text))
    return lambda: look_at(visitor, said)


def submit(page: Page, folder: Path, name: str = "Ana") -> None:
    file = folder / "cv.pdf"
    file.write_bytes(samples.pdf())
    page.goto("/")
    page.get_by_label("First name").fill(name)
    page.get_by_label("Last name").fill("Ruiz")
    email = f"{name.lower()}@example.com"
    page.get_by_label("E-mail").fill(email[-60:].lstrip("-"))
    page.get_by_label("Resume").set_input_files(file)
    page.get_by_role("button", name="Send my details").click()
    page.wait_for_url("**/submitted/*")


def test_what_a_prospect_sees(
    visitor: Page, looks_right: Callable[[], None], tmp_path: Path
) -> None:
    visitor.goto("/")
    looks_right()
    visitor.get_by_role("button", name="Send my details").click()
    visitor.get_by_role("heading", name="There is a problem").wait_for()
    looks_right()
    submit(visitor, tmp_path)
    looks_right()
    visitor.goto("/nowhere")
    looks_right()
    visitor.goto("/dev/outbox")
    looks_right()


def test_what_an_attorney_sees(
    visitor: Page, looks_right: Callable[[], None], tmp_path: Path
) -> None:
    submit(visitor, tmp_path)
    submit(visitor, tmp_path, LONG)
    visitor.goto("/dashboard/")
    looks_right()
    visitor.get_by_label("Username or e-mail").fill("ana")
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Sign in").click()
    looks_right()
    visitor.get_by_role("link", name=f"{LONG} Ruiz").click()
    looks_right()
    visitor.get_by_role("button", name="Mark as reached out").click()
    looks_right()
    for state in (
        "?status=",
        "?q=nobody",
        "?page=9",
        "?status=REACHED_OUT&sort_by=reached_out_at&sort_desc=true",
    ):
        visitor.goto(f"/dashboard/{state}")
        looks_right()


def test_what_somebody_sees_about_a_password(
    visitor: Page, looks_right: Callable[[], None], site: Site
) -> None:
    # Users are not removed between tests.
    joe = f"joe-{secrets.token_hex(3)}"
    site.create_user(joe, PASSWORD)
    visitor.goto("/auth/login")
    visitor.get_by_role("link", name="Forgot your password?").click()
    looks_right()
    visitor.get_by_role("button", name="Send me the link").click()
    looks_right()
    visitor.get_by_label("E-mail").fill(f"{joe}@example.com")
    visitor.get_by_role("button", name="Send me the link").click()
    looks_right()
    text = site.smtp.wait_for(1)[0].text
    visitor.goto(re.findall(r"\S+/auth/reset/\S+", text)[0])
    looks_right()
    visitor.get_by_label("New password").fill("Correct-horse-8")
    visitor.get_by_role("button", name="Set a new password").click()
    visitor.get_by_label("Username or e-mail").fill(joe)
    visitor.get_by_label("Password").fill("Correct-horse-8")
    visitor.get_by_role("button", name="Sign in").click()
    visitor.get_by_role("link", name="Password").click()
    looks_right()
    visitor.get_by_role("button", name="Change your password").click()
    looks_right()


def test_the_first_visit_is_light(visitor: Page, site: Site) -> None:
    bodies: list[int] = []
    visitor.on("response", lambda response: bodies.append(len(response.body())))
    visitor.goto("/", wait_until="networkidle")
    assert len(bodies) <= 4
    assert sum(bodies) <= 17 * 1024


def red(color: str) -> int:
    """Return the first number of a color in CSS."""
    return int(re.findall(r"\d+", color)[0])


@pytest.mark.parametrize("path", ["/", "/auth/login", "/redoc"])
@pytest.mark.parametrize(
    ("scheme", "ground", "ink"),
    [
        ("light", 249, 28),
        ("dark", 20, 236),
    ],
)
def test_a_page_follows_the_scheme_of_the_system(
    browser: Browser, site: Site, path: str, scheme: Scheme, ground: int, ink: int
) -> None:
    page = browser.new_context(base_url=site.url, color_scheme=scheme).new_page()
    page.goto(path)
    style = "getComputedStyle(document.body)"
    background, color = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
    assert red(background) == pytest.approx(ground, abs=8)
    assert red(color) == pytest.approx(ink, abs=8)
