"""Sending with JavaScript: progress, a single submission, a lost connection, Back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leadapp.web.script import WORDS
from tests.browsers import Scheme
from tests.e2e.form import expect_all_kept, expect_sent, fill, press, record_posts, submissions
from tests.e2e.test_looks import look_at
from tests.site import Site

STATIC = Path(__file__).parents[2] / "leadapp" / "static"
# Bytes a second: the file of the tests takes nine seconds.
SLOW = 100_000
SOME = re.compile(r"^\s*[1-9]\d? %$")
HURRY = """const timeout = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout");
Object.defineProperty(XMLHttpRequest.prototype, "timeout", {set(ms) {
  timeout.set.call(this, window.patient ? ms : ms / 100);
}});"""


@pytest.fixture
def upload_at(prospect: Page) -> Callable[[int], None]:
    """`upload_at(bytes)` limits the upload to so many bytes a second; -1 removes the limit."""
    network = prospect.context.new_cdp_session(prospect)
    network.send("Network.enable")
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}

    def limit(rate: int) -> None:
        conditions["uploadThroughput"] = rate
        network.send("Network.emulateNetworkConditions", conditions)

    return limit


def test_the_way_of_a_file_is_shown_and_can_be_cancelled(
    prospect: Page, site: Site, cv: Path, upload_at: Callable[[int], None]
) -> None:
    fill(prospect, site, cv)
    upload_at(SLOW)
    press(prospect)
    expect(prospect.get_by_role("status")).to_have_text("Sending")
    expect(prospect.get_by_role("progressbar", name="Sending")).to_be_visible()
    expect(prospect.get_by_text(SOME)).to_be_visible()
    prospect.get_by_role("button", name="Cancel").click()
    expect_all_kept(prospect, WORDS["cancelled"])
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
    expect(prospect.get_by_text(SOME)).to_be_visible()
    site.server.kill()
    expect_all_kept(prospect, WORDS["connection_lost"])
    site.server.start()
    upload_at(-1)
    press(prospect)
    expect_sent(prospect)
    assert submissions(site) == 1


@pytest.mark.parametrize("twice", ["pointer", "keyboard"])
def test_a_double_press_is_one_submission(prospect: Page, site: Site, cv: Path, twice: str) -> None:
    posts = record_posts(prospect)
    fill(prospect, site, cv)
    if twice == "pointer":
        prospect.get_by_role("button", name="Send my details").dblclick()
    else:
        prospect.get_by_label("E-mail").focus()
        prospect.keyboard.press("Enter")
        prospect.keyboard.press("Enter")
    expect_sent(prospect)
    assert len(posts) == 1
    assert submissions(site) == 1


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sending_can_be_read_by_everybody(
    prospect: Page, site: Site, cv: Path, upload_at: Callable[[int], None], scheme: Scheme
) -> None:
    prospect.emulate_media(color_scheme=scheme)
    fill(prospect, site, cv)
    upload_at(SLOW // 10)
    press(prospect)
    expect(prospect.get_by_text(SOME)).to_be_visible()
    look_at(prospect, [])
    prospect.get_by_role("button", name="Cancel").click()
    look_at(prospect, [])


def test_what_is_served_to_everybody_stays_small() -> None:
    assert (STATIC / "leadapp.js").stat().st_size <= 5120
    assert (STATIC / "leadapp.css").stat().st_size <= 8192
