"""No accepted submission is lost when server, deliverer and mail server crash repeatedly."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import delivery
from leadapp.models.leads import Submission
from leadapp.operations import maintenance
from tests.e2e.crowd import crowd, stored, taken
from tests.site import Site

# One of the server, and one separate process.
DELIVERERS = 2


def kill_at_random(site: Site, seconds: float) -> int:
    """Kill and restart the server and a deliverer, and stop the mail server in the middle.

    Returns the number of kills.
    """
    # The same kills in each run.
    chance = random.Random(20261122)
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
    """Stop every deliverer, expire all leases, then deliver until no e-mail is left."""
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
    """The site after all kills, its submissions answered with 201, and the number of kills."""
    site = start_site(backend)
    with crowd(site.url, pause=0.1) as answers:
        kills = kill_at_random(site, pytestconfig.getoption("crash_seconds"))
    deliver_all(site)
    return site, taken(answers), kills


@pytest.mark.databases("sqlite", "postgres")
def test_nothing_that_was_answered_is_lost(
    battered: tuple[Site, dict[str, str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, answered, kills = battered
    # A busy machine is slow to restart after each kill.
    assert len(answered) > 5
    found = stored(site)
    assert answered.items() <= found.items()
    check_letters(site, set(found), kills)
    monkeypatch.setattr(maintenance, "UNCLAIMED_FOR", timedelta(seconds=-5))
    check_sweep(site)


def check_letters(site: Site, emails: set[str], kills: int) -> None:
    letters = [sent.message["Message-ID"] for sent in site.smtp.messages]
    assert {address for sent in site.smtp.messages for address in sent.recipients} >= emails
    assert len(set(letters)) == 2 * len(emails)
    repeated = Counter(letters)
    in_flight = DELIVERERS * delivery.MOST * (kills + 1)
    assert sum(count - 1 for count in repeated.values()) <= in_flight, (
        "only what was in flight at a kill"
    )


def check_sweep(site: Site) -> None:
    """Check that the sweep keeps only files and objects that a submission references."""
    with site.application():
        maintenance.sweep()
        claimed = set(db.session.scalars(select(Submission.storage_key)))
    assert set(site.store.keys_before(now() + timedelta(days=1))) == claimed
    assert list(site.store.staging.iterdir()) == []
