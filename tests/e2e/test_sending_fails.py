"""Each failure between press and answer has its own message, keeps all input and never loops."""

import os
import re
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from leadapp.codes import Code
from leadapp.models.leads import Submission
from leadapp.web.script import WORDS
from tests import samples
from tests.browsers import Scheme
from tests.e2e.form import expect_all_kept, expect_sent, fill, press, record_posts, submissions
from tests.e2e.test_looks import look_at
from tests.e2e.test_script import HURRY
from tests.servers.proxy import Answer, Proxy
from tests.site import Site

NOTE_TIMEOUT = """
const timeout = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout");
Object.defineProperty(XMLHttpRequest.prototype, "timeout", {set(ms) {
  (window.timeouts ??= []).push(ms);
  timeout.set.call(this, ms);
}});"""
PAGE = "<!doctype html><title>nginx</title><center><h1>Refused</h1></center><hr>"
CAPTCHA = "<!doctype html><title>Wall</title><main><form><input name=code></form></main>"
# The default of the setting.
CONTACT = "Answer our e-mail to reach us."


def touch(file: Path) -> None:
    later = time.time() + 3600
    os.utime(file, (later, later))


def replace(file: Path) -> None:
    file.unlink()
    file.write_bytes(samples.pdf(size=700_000))
    # Chromium compares the times of a file by the second.
    a_second_later = time.time() + 1
    os.utime(file, (a_second_later, a_second_later))


CHANGES: dict[str, Callable[[Path], object]] = {
    "touched": touch,
    "longer": lambda file: file.write_bytes(samples.pdf(size=950_000)),
    "replaced": replace,
    "deleted": lambda file: file.unlink(),
    "renamed": lambda file: file.rename(file.with_name("other.pdf")),
}


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """A proxy in front of the shared site."""
    started = Proxy(site.url)
    yield started
    started.close()


@pytest.fixture
def posts(prospect: Page) -> list[str]:
    """The URLs of the POST requests that the page sends."""
    return record_posts(prospect)


def refused(code: str, status: int) -> str:
    words = WORDS.get(code) or Code[code.upper()].words
    return words.format(status=status, contact=f". {CONTACT}")


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_since_it_was_selected_is_selected_again(
    prospect: Page, site: Site, cv: Path, posts: list[str], change: str
) -> None:
    fill(prospect, site, cv)
    CHANGES[change](cv)
    # A second press sends nothing and shows the same message.
    for _ in range(2):
        press(prospect)
        expect(prospect.locator(".error")).to_have_text(Code.RESUME_CHANGED.words)
        expect(prospect.get_by_role("region", name="There is a problem")).to_be_focused()
    expect(prospect.get_by_label("Last name")).to_have_value("Álvarez")
    expect(prospect.get_by_role("progressbar")).to_be_hidden()
    assert posts == []
    content = samples.pdf(size=800_000)
    cv.write_bytes(content)
    prospect.get_by_label("Resume").set_input_files(cv)
    press(prospect)
    expect_sent(prospect)
    with site.database() as connection:
        assert connection.scalar(select(Submission.sha256)) == sha256(content).hexdigest()


def test_a_file_that_changes_while_it_is_sent_arrives_as_it_was(
    prospect: Page, site: Site, cv: Path
) -> None:
    content = cv.read_bytes()
    network = prospect.context.new_cdp_session(prospect)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    fill(prospect, site, cv)
    network.send("Network.emulateNetworkConditions", slow)
    press(prospect)
    expect(prospect.get_by_text(re.compile(r"^\s*[1-9]\d? %$"))).to_be_visible()
    cv.write_bytes(samples.pdf(size=700_000))
    expect_sent(prospect)
    with site.database() as connection:
        assert connection.scalar(select(Submission.sha256)) == sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(413, PAGE), "sending_too_large"),
        (Answer(413), "sending_too_large"),
        (Answer(403, PAGE), "sending_refused"),
        (Answer(403), "sending_refused"),
        (Answer(403, CAPTCHA), "sending_refused"),
        (Answer(451, PAGE), "sending_refused"),
        # A page of the network itself.
        (Answer(200, PAGE), "sending_refused"),
        (Answer(429), "sending_unavailable"),
        (Answer(502, PAGE), "sending_unavailable"),
    ],
)
def test_what_a_proxy_refuses_is_said_in_our_words(
    prospect: Page, site: Site, proxy: Proxy, cv: Path, answer: Answer, code: str
) -> None:
    proxy.answer = answer
    fill(prospect, proxy, cv)
    press(prospect)
    expect_all_kept(prospect, refused(code, answer.status))
    assert proxy.posts == 1
    assert submissions(site) == 0
    proxy.answer = None
    press(prospect)
    expect_sent(prospect)
    assert submissions(site) == 1


def test_a_server_that_does_not_answer_is_said_to_be_silent(
    prospect: Page, site: Site, proxy: Proxy, cv: Path
) -> None:
    prospect.add_init_script(HURRY)
    proxy.silent = True
    fill(prospect, proxy, cv)
    press(prospect)
    expect_all_kept(prospect, WORDS["sending_timed_out"])
    proxy.silent = False
    prospect.evaluate("window.patient = true")
    press(prospect)
    expect_sent(prospect)
    assert submissions(site) == 1


def test_a_minute_may_pass_without_progress(prospect: Page, proxy: Proxy, cv: Path) -> None:
    prospect.add_init_script(NOTE_TIMEOUT)
    proxy.silent = True
    fill(prospect, proxy, cv)
    press(prospect)
    prospect.wait_for_function("window.timeouts?.length")
    timeouts = prospect.evaluate("window.timeouts")
    assert 60_000 <= timeouts[0] < 70_000, "milliseconds since the request began"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_refusal_can_be_read_by_everybody(
    prospect: Page, proxy: Proxy, cv: Path, scheme: Scheme
) -> None:
    prospect.emulate_media(color_scheme=scheme)
    proxy.answer = Answer(413)
    fill(prospect, proxy, cv)
    press(prospect)
    expect_all_kept(prospect, refused("sending_too_large", 413))
    look_at(prospect, [])
    cv.unlink()
    press(prospect)
    expect(prospect.locator(".error")).to_have_text(Code.RESUME_CHANGED.words)
    look_at(prospect, [])
