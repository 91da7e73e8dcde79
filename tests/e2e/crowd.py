"""Clients that submit one lead after another, and a check of the results."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from itertools import count, cycle, islice
from typing import NamedTuple

import httpx
from sqlalchemy import select

from leadapp.models.leads import Submission
from tests import samples
from tests.site import Site

CLIENTS = 4
FIRST_ADDRESS = int(ip_address("10.0.0.0"))
_numbers = count(1)


class Answer(NamedTuple):
    """A submission and its answer; the status is 0 if the connection broke."""

    email: str
    digest: str
    status: int
    code: str
    retry_after: str | None
    seconds: float


class _Client(threading.Thread):
    def __init__(self, url: str, answers: list[Answer], pause: float) -> None:
        super().__init__(daemon=True)
        self.client = httpx.Client(base_url=url, timeout=30)
        self.answers = answers
        self.pause = pause
        self.stopped = threading.Event()

    def run(self) -> None:
        with self.client:
            while not self.stopped.wait(self.pause):
                self.answers.append(submit(self.client, next(_numbers)))


def submit(client: httpx.Client, number: int) -> Answer:
    """Send a new lead from an IP address of its own."""
    email = f"client{number}@example.com"
    start = time.monotonic()
    resume = samples.pdf(email, size=20_000)
    try:
        answer = client.post(
            "/api/v1/leads",
            data={"first_name": "Ana", "last_name": "Ruiz", "email": email},
            files=samples.upload(resume),
            headers={"X-Forwarded-For": str(ip_address(FIRST_ADDRESS + number % 2**24))},
        )
    except httpx.TransportError:
        # The server is down for the moment.
        time.sleep(0.05)
        return Answer(email, "", 0, "", None, time.monotonic() - start)
    return Answer(
        email=email,
        digest=hashlib.sha256(resume).hexdigest(),
        status=answer.status_code,
        code=answer.json().get("code", ""),
        retry_after=answer.headers.get("Retry-After"),
        seconds=time.monotonic() - start,
    )


@contextmanager
def crowd(*urls: str, pause: float = 0.15) -> Iterator[list[Answer]]:
    """Run clients that submit to each URL in turn until the `with` block ends.

    Yields the list of answers, which grows while the clients run.
    """
    answers: list[Answer] = []
    clients = []
    for url in islice(cycle(urls), CLIENTS):
        clients.append(_Client(url, answers, pause))
    for client in clients:
        client.start()
    try:
        yield answers
    finally:
        for client in clients:
            client.stopped.set()
        for client in clients:
            client.join(40)


def taken(answers: list[Answer]) -> dict[str, str]:
    """Return the resume digest of each submission answered with 201, by e-mail address."""
    return {answer.email: answer.digest for answer in answers if answer.status == 201}


def stored(site: Site) -> dict[str, str]:
    """Return the resume digest of each stored submission, by e-mail address.

    Checks that each file matches its row.
    """
    with site.database() as connection:
        rows = connection.execute(
            select(Submission.email, Submission.sha256, Submission.storage_key)
        ).all()
    store = site.store
    found = {}
    for row in rows:
        with store.open(row.storage_key) as file:
            content = file.read()
        found[row.email] = hashlib.sha256(content).hexdigest()
    assert found == {row.email: row.sha256 for row in rows}, "a row without its bytes"
    return found
