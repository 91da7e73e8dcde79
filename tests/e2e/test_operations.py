"""The commands of docs/operations.md run in a copy of the repository, in production.

Its iframe works on another site.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import samples
from tests.blocks import blocks, type_in
from tests.servers import MailServer, Process
from tests.servers.ports import free_port
from tests.site import Site

PAGE = "docs/operations.md"
# An operator types these in place of the examples.
FIRM = "lawfirm-test.net"
SMTP_PASSWORD = "Kp7wTq2zLm"


@dataclass
class Operator:
    """Runs commands in a copy of the repository, where `.env` is read.

    Services that the page places elsewhere run on this machine.
    """

    clone: Path
    smtp: MailServer
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def here(self) -> dict[str, str]:
        return {
            "BASE_URL": self.url,
            "PORT": str(self.port),
            "TRUSTED_PROXIES": "0",
            "SMTP_HOST": self.smtp.host,
            "SMTP_PORT": str(self.smtp.port),
            "FLASK_SKIP_DOTENV": "",
            "PYTHON_DOTENV_DISABLED": "",
        }

    def types(self, block: str) -> str:
        block = block.replace("example.com", FIRM).replace("change-me", SMTP_PASSWORD)
        return type_in(block, self.url, self.clone, **self.here)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the server as the systemd unit starts it."""
        unit = blocks(PAGE, "ini")[0].splitlines()
        [command] = [line for line in unit if line.startswith("ExecStart=")]
        command = command.removeprefix("ExecStart=").replace("/srv/leadapp", str(self.clone))
        words = command.split()
        with Process(words, cwd=self.clone, env=os.environ | self.here) as server:
            end = time.monotonic() + 30
            while time.monotonic() < end and not self._answers():
                time.sleep(0.1)
            yield
            server.terminate()
            assert server.wait(40) == 0

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def operator(clone: Path, smtp: MailServer) -> Operator:
    smtp.accounts = {f"leads@{FIRM}": SMTP_PASSWORD}
    return Operator(clone, smtp)


def test_a_site_is_installed_watched_saved_and_begun_anew(operator: Operator) -> None:
    make, settings, first, watch, letters, backup, restore, upgrade, keep, anew = blocks(PAGE)
    operator.types(make)
    operator.types(settings)
    assert (operator.clone / ".env").stat().st_mode & 0o777 == 0o600
    healthy = operator.types(first)
    assert "ok    configuration: production" in healthy
    assert "\nfail" not in healthy
    assert operator.smtp.wait_for(1)[0].recipients == [f"ana@{FIRM}"]
    with operator.serving():
        fields = {"first_name": "Ana", "last_name": "Ruiz", "email": f"ana.ruiz@{FIRM}"}
        httpx.post(f"{operator.url}/api/v1/leads", data=fields, files=samples.upload())
        # The test e-mail, the confirmation and two notices.
        operator.smtp.wait_for(4)
        assert "leadapp_letters_waiting 0.0" in operator.types(watch)
        assert f"ana.ruiz@{FIRM}" in operator.types(letters)
        assert "submissions: 1\n" in operator.types(backup)
        assert "submissions: 1\n" in operator.types(restore)
        operator.types(upgrade)
        assert "would be erased: 0\nerased: 0\n" in operator.types(keep)
    assert f"ana.ruiz@{FIRM}" in (operator.clone / "pending.csv").read_text()
    assert list((operator.clone / "restored/uploads/resumes").glob("*.pdf"))
    operator.types(anew)
    assert operator.types(letters).startswith("waiting: 0")


@pytest.fixture
def page_of_the_firm() -> Iterator[Callable[[str], str]]:
    """A function that publishes HTML on another site and returns its URL."""
    shown = [""]

    class Firm(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(shown[0].encode())

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Firm) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def put(html: str) -> str:
            shown[0] = f"<!doctype html><title>The firm</title>{html}"
            return f"http://127.0.0.1:{server.server_port}"

        yield put
        server.shutdown()


def test_the_form_works_in_a_frame_of_the_firms_own_site(
    start_site: Callable[..., Site], page: Page, page_of_the_firm: Callable[[str], str], cv: Path
) -> None:
    link, frame = blocks(PAGE, "html")
    site = start_site(EMBED_ORIGINS=page_of_the_firm(""))
    both = (link + frame).replace("https://leads.example.com", site.url)
    page.goto(page_of_the_firm(both))
    form = page.frame_locator("iframe")
    form.get_by_label("First name").fill("Ana")
    form.get_by_label("Last name").fill("Ruiz")
    form.get_by_label("E-mail").fill("ana@example.com")
    form.get_by_label("Resume").set_input_files(cv)
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("heading", level=1)).to_contain_text("We have your details")
    page.get_by_role("link", name="Send us your details").click()
    expect(page).to_have_url(f"{site.url}/")


def test_a_site_that_is_not_named_may_not_frame_the_form(
    site: Site, page: Page, page_of_the_firm: Callable[[str], str]
) -> None:
    frame = blocks(PAGE, "html")[1].replace("https://leads.example.com", site.url)
    page.goto(page_of_the_firm(frame))
    expect(page.frame_locator("iframe").get_by_label("First name")).to_have_count(0)
