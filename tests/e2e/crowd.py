"""Clients that submit one lead after another, and a check of the results."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import httpx
from sqlalchemy import select

from leadapp.models.leads import Submission
from tests import samples
from tests.site import Site

CLIENTS = 4
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
        self.client, self.answers, self.pause = (
            httpx.Client(base_url=url, timeout=30),
            answers,
            pause,
        )
        self.stopped = threading.Event()

    def run(self) -> None:
        with self.client:
            while not self.stopped.wait(self.pause):
                self.answers.append(submit(self.client, next(_numbers)))


def submit(client: httpx.Client, number: int) -> Answer:
    """Send a new lead from an IP address of its own."""
    email, start = f"client{number}@example.com", time.monotonic()
    resume = samples.pdf(email, size=20_000)
    try:
        answer = client.post(
            "/api/v1/leads",
            data={"first_name": "Ana", "last_name": "Ruiz", "email": email},
            files={"resume": ("cv.pdf", resume)},
            headers={
                "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            },
        )
    except httpx.TransportError:
        # The server is down for the moment.
        time.sleep(0.05)
        return Answer(email, "", 0, "", None, time.monotonic() - start)
    facts = (answer.status_code, answer.json().get("code", ""), answer.headers.get("Retry-After"))
    return Answer(email, hashlib.sha256(resume).hexdigest(), *facts, time.monotonic() - start)


@contextmanager
def crowd(*urls: str, pause: float = 0.15) -> Iterator[list[Answer]]:
    """Run clients that submit to each URL in turn until the `with` block ends.

    Yields the list of answers, which grows while the clients run.
    """
    answers: list[Answer] = []
    clients = [_Client(urls[number % len(urls)], answers, pause) for number in range(CLIENTS)]
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
    store, found = site.store, {}
    for row in rows:
        with store.open(row.storage_key) as file:
            found[row.email] = hashlib.sha256(file.read()).hexdigest()
    assert found == {row.email: row.sha256 for row in rows}, "a row without its bytes"
    return found
