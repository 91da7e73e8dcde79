"""Two hundred submissions at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from socket import socket

import httpx
import pytest
from sqlalchemy import text

from tests import multipart, samples
from tests.e2e.crowd import stored
from tests.pages import hidden_fields
from tests.site import Site

PEOPLE = 200  # more than the 128 upload threads of both workers
GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


@pytest.mark.databases("sqlite", "postgres")
def test_two_hundred_posts_of_one_form_are_one_submission(site: Site) -> None:
    with site.client() as browser, ThreadPoolExecutor(32) as pool:
        form = hidden_fields(browser.get("/").text, having="email")
        form.update(GOOD)

        def post(_: int) -> tuple[int, str]:
            sent = browser.post("/", data=form, files=samples.upload())
            return sent.status_code, browser.get(sent.headers["Location"]).text

        answers = set(pool.map(post, range(200)))
    assert len(answers) == 1
    assert answers.pop()[0] == 303
    assert count_rows(site) == [1, 2]
    assert len(site.smtp.wait_for(2)) == 2


@pytest.mark.databases("sqlite", "postgres")
def test_two_hundred_people_submit_at_once(backend: str, start_site: Callable[..., Site]) -> None:
    """All are stored exactly once, and /health and the form answer while all uploads wait."""
    site = start_site(backend, DELIVERY="external")
    emails = [f"person{number}@example.com" for number in range(PEOPLE)]
    requests = [raw_submission(email) for email in emails]
    with ExitStack() as stack:
        lines = [stack.enter_context(site.connect(timeout=60)) for _ in emails]
        for line, sent in zip(lines, requests, strict=True):
            line.sendall(sent[:-1])
        # Each request opens a new connection, so that both workers receive some.
        for _ in range(10):
            for path in ("/health", "/"):
                assert httpx.get(site.url + path, timeout=20).status_code == 200
        for line, sent in zip(lines, requests, strict=True):
            line.sendall(sent[-1:])
        assert [status(line) for line in lines] == [201] * PEOPLE
    assert sorted(stored(site)) == sorted(emails)
    assert count_rows(site) == [PEOPLE, 2 * PEOPLE]


def raw_submission(email: str) -> bytes:
    """Return the bytes of a submission."""
    parts = {name: typed.encode() for name, typed in GOOD.items()}
    parts["email"] = email.encode()
    parts["resume"] = samples.pdf(email, size=50_000)
    boundary = multipart.BOUNDARIES["curl"]
    body = multipart.body(parts, boundary)
    head = (
        b"POST /api/v1/leads HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n"
    )
    return head % (boundary, len(body)) + body


def status(line: socket) -> int:
    """Read a response and return its status."""
    answer = HTTPResponse(line)
    answer.begin()
    return answer.status


def count_rows(site: Site) -> list[int | None]:
    """Return the numbers of submissions and of e-mails."""
    with site.database() as connection:
        return [
            # The table names are our own.
            connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("submissions", "letters")
        ]
