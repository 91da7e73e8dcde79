"""A backup made while four clients submit restores the site as it was at one moment."""

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from leadapp.models.leads import Lead, Submission
from leadapp.models.letters import Letter
from tests import samples
from tests.factories import PASSWORD
from tests.servers import PROGRAMS
from tests.site import Site

CLIENTS = 4


class Sent(NamedTuple):
    """The times when a lead was sent and answered, and its id."""

    began: float
    ended: float
    lead: str


@contextmanager
def submitting(site: Site) -> Iterator[list[Sent]]:
    """Four clients that each send a dozen or two leads a second.

    The number is limited because the test compares all of them at the end.
    """
    answered: list[Sent] = []
    numbers = count()
    stop = threading.Event()

    def send() -> None:
        with site.client() as client:
            while not stop.is_set():
                number = next(numbers)
                fields = {
                    "first_name": "Ana",
                    "last_name": f"Ruiz {number}",
                    "email": f"ana{number}@example.com",
                }
                # No two files are alike.
                file = samples.pdf() + b"%" * number + b"\n%%EOF"
                began = time.monotonic()
                answer = client.post("/api/v1/leads", data=fields, files=samples.upload(file))
                ended = time.monotonic()
                lead = answer.raise_for_status().json()["id"]
                answered.append(Sent(began, ended, lead))
                time.sleep(0.05)

    clients = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    yield answered
    stop.set()
    for client in clients:
        client.join()


def wait_for(answered: list[Sent], more: int) -> None:
    goal = len(answered) + more
    while len(answered) < goal:
        time.sleep(0.05)


def submissions(site: Site) -> dict[str, str]:
    """Return the lead and the file digest of each submission."""
    chosen = select(Submission.lead_id, Submission.sha256)
    with site.database() as rows:
        return {str(lead): sha256 for lead, sha256 in rows.execute(chosen)}


def downloads(site: Site, leads: Iterable[str]) -> dict[str, str]:
    """Return the digest of each lead's resume, as an attorney downloads it."""
    token = {"Authorization": f"Bearer {site.token('ana', PASSWORD)}"}
    found = {}
    with site.client() as client:
        for lead in leads:
            file = client.get(f"/api/v1/leads/{lead}/resume", headers=token)
            content = file.raise_for_status().content
            found[lead] = hashlib.sha256(content).hexdigest()
    return found


@pytest.fixture
def places(start_site: Callable[..., Site], backend: str, tmp_path: Path) -> tuple[Site, Site]:
    """A running site, and an empty site that is stopped; both use the same backup folder."""
    settings = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "BACKUP_DIR": str(tmp_path / "backups")}
    site = start_site(backend, **settings)
    place = start_site(backend, **settings)
    site.create_user("ana", PASSWORD)
    place.server.stop()
    return site, place


@pytest.mark.databases("sqlite", "postgres")
def test_a_backup_under_load_is_of_one_moment(places: tuple[Site, Site]) -> None:
    site, place = places
    with submitting(site) as answered:
        wait_for(answered, 20)
        start = time.monotonic()
        made = site.server.flask("backup")
        end = time.monotonic()
        wait_for(answered, 20)
    assert made.returncode == 0, made.stderr
    assert "Files missing from storage" not in made.stderr
    gone = erase_one(site, answered[0].lead)
    told = place.server.flask("restore", made.stdout.strip())
    assert told.returncode == 0, told.stderr
    place.server.start()
    back, there = submissions(place), submissions(site)
    before = {sent.lead for sent in answered if sent.ended < start}
    after = {sent.lead for sent in answered if sent.began > end}
    assert before - {gone} <= set(back)
    assert set(back).isdisjoint(after)
    assert gone not in back
    assert back.items() <= there.items()
    assert f"submissions: {len(back) + 1}\n" in told.stdout
    with place.database() as rows:
        letters = rows.execute(select(Letter.submission_id)).all()
    assert len(letters) == 2 * len(back), "no submission without its letters"
    assert downloads(place, back) == back


def erase_one(site: Site, lead: str) -> str:
    """Erase a lead, as an operator would."""
    chosen = select(Lead.reference).where(Lead.id == uuid.UUID(lead))
    with site.database() as rows:
        reference = rows.scalar(chosen)
    done = site.server.flask("lead", "erase", lead, "--reference", str(reference))
    assert done.returncode == 0, done.stderr
    return lead
