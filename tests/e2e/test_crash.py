"""Clients submit while server, deliverer and mail server die again and again: nothing that was answered is lost."""

import hashlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from tests import samples
from tests.site import Site

CLIENTS = 4
DELIVERERS = 3  # one in each worker of the server, and one beside it


class Client(threading.Thread):
    """Somebody who sends one lead after another, and remembers what was answered with 201."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__(daemon=True)
        self.client, self.number = httpx.Client(base_url=url, timeout=10), number
        self.stopped = False
        self.taken: dict[str, str] = {}  # e-mail -> digest of the resume

    def run(self) -> None:
        count = 0
        while not self.stopped:
            count += 1
            time.sleep(0.1)
            email = f"client{self.number}-{count}@example.com"
            resume = samples.pdf(email, size=20_000)
            try:
                answer = self.client.post(
                    "/api/v1/leads",
                    data={"first_name": "Ana", "last_name": "Ruiz", "email": email},
                    files={"resume": ("cv.pdf", resume)},
                )
            except httpx.TransportError:
                time.sleep(0.05)  # the server is gone for the moment
                continue
            if answer.status_code == 201:
                self.taken[email] = hashlib.sha256(resume).hexdigest()
        self.client.close()


def kill_at_random(site: Site, seconds: float) -> int:
    """Kill and restart the server and a deliverer, with the mail server down in the middle; tell how often."""
    chance = random.Random(20261122)  # the same kills at each run
    deliverer = site.server.run_flask("mail", "deliver")
    kills, start = 0, time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        time.sleep(chance.uniform(0.3, 1.2))
        if seconds / 3 < passed < seconds * 2 / 3:
            site.smtp.stop()
        else:
            site.smtp.start()
        deliverer.kill()
        deliverer.wait()
        site.server.kill()
        kills += 1
        site.server.start()
        deliverer = site.server.run_flask("mail", "deliver")
    site.smtp.start()
    deliverer.kill()
    deliverer.wait()
    return kills


def deliver_all(site: Site) -> None:
    """With every deliverer dead let all leases run out, then wait until no letter waits."""
    site.server.kill()
    site.hurry(claimed=True)
    site.server.start()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        site.hurry()
        time.sleep(0.5)
        with site.database() as connection:
            if not connection.scalar(text("SELECT count(*) FROM letters WHERE sent_at IS NULL")):
                return
    raise AssertionError("letters still wait")


@pytest.fixture
def battered(
    start_site: Callable[..., Site], backend: str, pytestconfig: pytest.Config
) -> tuple[Site, dict[str, str], int]:
    """A site after it all, what it has answered with 201, and how often it was killed."""
    site = start_site(backend)
    clients = [Client(site.url, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    kills = kill_at_random(site, pytestconfig.getoption("crash_seconds"))
    for client in clients:
        client.stopped = True
        client.join(20)
    deliver_all(site)
    return site, {email: digest for client in clients for email, digest in client.taken.items()}, kills


@pytest.mark.databases("sqlite", "postgres")
def test_nothing_that_was_answered_is_lost(battered: tuple[Site, dict[str, str], int]) -> None:
    site, taken, kills = battered
    assert len(taken) > 20
    folder = site.server.instance / "uploads" / "resumes"
    with site.database() as connection:
        rows = connection.execute(text("SELECT email, sha256, storage_key FROM submissions")).all()
    stored = {row.email: hashlib.sha256((folder / row.storage_key).read_bytes()).hexdigest() for row in rows}
    assert stored == {row.email: row.sha256 for row in rows}, "a row without its bytes"
    assert taken.items() <= stored.items()
    check_letters(site, set(stored), kills)
    check_sweep(site, folder, {row.storage_key for row in rows})


def check_letters(site: Site, emails: set[str], kills: int) -> None:
    letters = [sent.message["Message-ID"] for sent in site.smtp.messages]
    assert {address for sent in site.smtp.messages for address in sent.recipients} >= emails
    assert len(set(letters)) == 2 * len(emails)
    repeated = Counter(letters)
    in_flight = DELIVERERS * (kills + 1)
    assert sum(count - 1 for count in repeated.values()) <= in_flight, "only what was in flight at a kill"


def check_sweep(site: Site, folder: Path, claimed: set[str]) -> None:
    long_ago = time.time() - 3 * 3600
    for path in folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    assert site.server.flask("sweep").returncode == 0
    assert {path.name for path in folder.iterdir() if path.is_file()} == claimed
    assert list((folder / "staging").iterdir()) == []
