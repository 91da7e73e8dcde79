"""Views of a lead: one entry per person and hour, and none that changes a row for nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, update

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads.history import ONE_VIEW_IN
from leadapp.models.accounts import User
from leadapp.models.leads import Event, Lead
from tests.clients import Client
from tests.factories import EventFactory, LeadFactory, SubmissionFactory, UserFactory
from tests.integration.desk import address, kinds, mark, submit
from tests.integration.test_history import story

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTS = ("", "/history", "/submissions")


@pytest.fixture
def commits(app: Flask) -> Iterator[list[int]]:
    """A list that grows with each commit."""
    counted: list[int] = []

    def count(_connection: object) -> None:
        counted.append(1)

    event.listen(db.engine, "commit", count)
    yield counted
    event.remove(db.engine, "commit", count)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def lines(browser: Client, lead: Lead) -> list[str]:
    """Return the lines of the history without their times and requests."""
    found = []
    for line in story(browser.get(address(lead)).text):
        found.append(line[len("1 Mar 2026, 12:00 ") :].partition(" Request ")[0])
    return found


def test_repeated_views_are_one_entry_and_one_commit(
    signed_in: Client, bearer: dict[str, str], commits: list[int]
) -> None:
    lead = LeadFactory.create()
    signed_in.get(address(lead))
    commits.clear()
    for part in PARTS:
        assert signed_in.get(address(lead, part)).status_code == 200
    for part in ("", "/submissions"):
        path = f"/api/v1/leads/{lead.id}{part}"
        assert signed_in.get(path, headers=bearer).status_code == 200
    assert kinds() == ["viewed"]
    assert not commits


@pytest.mark.parametrize("part", PARTS)
def test_each_page_of_a_lead_records_the_view(signed_in: Client, part: str) -> None:
    lead = LeadFactory.create()
    signed_in.get(address(lead, part))
    assert kinds() == ["viewed"]


def test_each_person_has_a_view(signed_in: Client, second: Client) -> None:
    lead = LeadFactory.create()
    for browser in (signed_in, second, signed_in, second):
        browser.get(address(lead))
    assert kinds() == ["viewed", "viewed"]
    other = LeadFactory.create()
    signed_in.get(address(other))
    assert len(kinds()) == 3


def test_after_an_hour_a_view_is_recorded_again(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    signed_in.get(address(lead))
    for age, count in ((ONE_VIEW_IN - timedelta(minutes=1), 1), (ONE_VIEW_IN, 2)):
        db.session.execute(update(Event).values(created_at=now() - age))
        db.session.commit()
        signed_in.get(address(lead))
        assert len(kinds()) == count


def test_a_view_of_a_changed_lead_is_recorded(signed_in: Client, second: Client) -> None:
    submit(signed_in, "ana@example.com")
    lead = db.session.query(Lead).one()
    signed_in.get(address(lead))
    submit(signed_in, "ana@example.com")
    # The second attorney is the first to see the new submission.
    second.get(address(lead))
    page = signed_in.get(address(lead))
    viewed = ["submitted", "viewed", "resubmitted", "viewed", "viewed"]
    assert kinds() == viewed
    mark(signed_in, page)
    second.get(address(lead))
    second.get(address(lead))
    assert kinds() == [*viewed, "marked", "viewed"]


def test_every_download_and_preview_is_recorded(signed_in: Client) -> None:
    lead = LeadFactory.create()
    for ending in ("/resume", "/preview") * 2:
        signed_in.get(address(lead, ending))
    assert kinds() == ["downloaded", "previewed"] * 2


def test_views_from_before_are_folded(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    ana, bo = UserFactory.create(username="ana"), UserFactory.create(username="bo")
    events: list[tuple[float, str, User | None]] = [
        (0, "viewed", ana),
        (1, "downloaded", ana),
        (2, "viewed", bo),
        (3, "viewed", ana),
        (4, "downloaded", ana),
        (59, "viewed", ana),
        (60, "viewed", ana),
        (61, "resubmitted", None),
        (62, "viewed", ana),
        (63, "viewed", None),
        (64, "viewed", None),
    ]
    for minute, kind, user in events:
        user_id = user.id if user else None
        EventFactory.create(lead=lead, kind=kind, user_id=user_id, created_at=minutes(minute))
    assert lines(signed_in, lead)[:-1] == [
        "Lead opened by ana, 3 times within an hour",
        "Resume downloaded by ana",
        "Lead opened by bo",
        "Resume downloaded by ana",
        "Lead opened by ana",
        "Details and resume received again",
        "Lead opened by ana",
        "Lead opened",
        "Lead opened",
    ]


def test_a_view_marks_a_lead_as_seen_only_once(signed_in: Client) -> None:
    lead = LeadFactory.create()
    SubmissionFactory.create(lead=lead)
    signed_in.get(address(lead))
    seen_at = db.session.get_one(Lead, lead.id).seen_at
    signed_in.get(address(lead))
    assert db.session.get_one(Lead, lead.id).seen_at == seen_at is not None
