"""A body over the cap is refused early and cheaply, and every client reads the refusal."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from leadapp.codes import Code
from leadapp.errors import Message
from tests.e2e.desk import quiet_page
from tests.e2e.form import fill, press
from tests.multipart import body
from tests.servers.ports import HOST
from tests.site import Site

MB = 1024 * 1024
DOORS = pytest.mark.parametrize("path", ["/", "/api/v1/leads"])
START = body({"resume": b"x" * 1000}, b"x")[:500]
WORDS = Message(Code.HTTP_413, limit="5 MB")


@pytest.fixture
def line(site: Site) -> Iterator[socket.socket]:
    """A connection that sends only the bytes that a test writes to it."""
    with site.connect(timeout=5) as connection:
        yield connection


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """A file over the cap of a whole body."""
    file = tmp_path / "cv.pdf"
    file.write_bytes(b"x" * 30 * MB)
    return file


def head(path: str, *more: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: multipart/form-data; boundary=x",
    ]
    lines.extend(more)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def answer(line: socket.socket) -> bytes:
    """Read to the end of the connection."""
    return b"".join(iter(lambda: line.recv(65536), b""))


@DOORS
def test_a_declared_length_over_the_cap_is_answered_at_once(line: socket.socket, path: str) -> None:
    line.sendall(head(path, f"Content-Length: {225 * MB}") + START)
    # This arrives within the five-second timeout of the connection.
    assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_who_trickles_on_after_the_refusal_is_cut_off(line: socket.socket) -> None:
    line.sendall(head("/", f"Content-Length: {225 * MB}"))
    refused = answer(line)
    assert refused.startswith(b"HTTP/1.1 413")
    assert b"\r\nConnection: close\r\n" in refused
    start = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() < start + 30:
            line.sendall(b"x")
            time.sleep(0.1)
    assert time.monotonic() - start < 15


def test_a_small_body_over_its_limit_ends_the_connection(line: socket.socket) -> None:
    start = f"POST /api/v1/auth/register HTTP/1.1\r\nHost: {HOST}\r\n"
    kind = "Content-Type: application/json\r\n"
    line.sendall(f"{start}{kind}Content-Length: 70000\r\n\r\n".encode() + b" " * 70_000)
    refused = answer(line)
    assert refused.startswith(b"HTTP/1.1 413")
    assert b"\r\nConnection: close\r\n" in refused


def test_who_asks_before_sending_something_small_may_send(line: socket.socket) -> None:
    whole = body({"first_name": b"Ana"}, b"x")
    line.sendall(head("/api/v1/leads", f"Content-Length: {len(whole)}", "Expect: 100-continue"))
    assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(whole)
    assert line.recv(100).startswith(b"HTTP/1.1 422")


@DOORS
def test_an_endless_body_is_not_read_for_long(line: socket.socket, path: str) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    line.sendall(head(path, "Transfer-Encoding: chunked"))
    line.sendall(b"%x\r\n%s\r\n" % (len(START), START))
    chunk = b"10000\r\n%s\r\n" % (b"x" * 65536)
    sent = 0
    with suppress(ConnectionError):
        while sent < 200 * MB:
            line.sendall(chunk)
            sent += len(chunk)
    # The cap of 25 MB, the few MB that are read after it, and the bytes in transit.
    assert sent < 45 * MB
    assert line.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("host", ["Host: 127.0.0.1", "Host 127.0.0.1"], ids=["good", "malformed"])
def test_who_does_not_hang_up_holds_nobody_up(site: Site, host: str) -> None:
    ask = f"GET /health HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n".encode()
    with ExitStack() as stack:
        # Four for each worker.
        for _ in range(8):
            held = stack.enter_context(site.connect(timeout=5))
            held.sendall(ask)
        start = time.monotonic()
        for _ in range(4):
            with site.client() as client:
                assert client.get("/health").status_code == 200
        # gunicorn's default blocked a worker for two seconds for each of the eight connections.
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("more", [[], ["-H", "Expect:"]], ids=["asks first", "sends at once"])
def test_curl_reads_the_refusal(site: Site, huge: Path, more: list[str]) -> None:
    command = ["curl", "-sS", "-F", f"resume=@{huge}", f"{site.url}/api/v1/leads"]
    command.extend(more)
    for _ in range(10):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert json.loads(done.stdout)["detail"] == WORDS, done.stderr


def test_a_browser_shows_the_refusal(site: Site, browser: Browser, huge: Path) -> None:
    with quiet_page(browser, java_script_enabled=False) as page:
        for _ in range(5):
            fill(page, site, huge)
            press(page)
            expect(page.locator("p.intro")).to_have_text(WORDS)
