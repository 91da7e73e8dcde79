"""Adds leads with a long history to leadapp's database: many events, or many submissions."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import Connection, create_engine, text

from leadapp.resumes.formats import PDF
from tests.load.seed import BATCH, START, Row, insert, tidy

KINDS = ("viewed", "downloaded", "previewed")
SUBMISSIONS = 1200
COUNTED = text("UPDATE leads SET submission_count = :count WHERE id = :id")


def add_events(url: str, lead: str, count: int) -> None:
    """Add accesses by the attorney, two hours apart."""
    engine = create_engine(url)
    with engine.connect() as connection:
        user = connection.scalar(text("SELECT id FROM users"))
        connection.rollback()
        first = START - timedelta(hours=2) * count
        _add(connection, lead, str(user), first, count)
    tidy(engine)
    engine.dispose()


def _add(connection: Connection, lead: str, user: str, first: datetime, count: int) -> None:
    for start in range(0, count, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, count)):
            at = first + timedelta(hours=2) * number
            row: Row = {"lead_id": uuid.UUID(lead).hex, "user_id": user}
            row.update(kind=KINDS[number % len(KINDS)], created_at=str(at))
            rows.append(row)
        insert(connection, "events", rows)


def add_submissions(url: str, lead: str) -> None:
    """Give a lead SUBMISSIONS submissions, each with its two sent e-mails and its event."""
    engine = create_engine(url)
    lead_id = uuid.UUID(lead).hex
    submissions, letters, events = [], [], []
    for number in range(2, SUBMISSIONS + 1):
        key, at = uuid.uuid4().hex, str(START + timedelta(minutes=number))
        submissions.append(_submission(lead_id, key, number, at))
        letters.append(_letter(key, "confirmation", at))
        letters.append(_letter(key, "notice", at))
        events.append({"lead_id": lead_id, "kind": "resubmitted", "created_at": at})
    with engine.connect() as connection:
        insert(connection, "submissions", submissions)
        insert(connection, "letters", letters)
        insert(connection, "events", events)
        connection.execute(COUNTED, {"id": lead_id, "count": SUBMISSIONS})
        connection.commit()
    tidy(engine)
    engine.dispose()


def _submission(lead_id: str, key: str, number: int, at: str) -> Row:
    return {
        "id": key,
        "lead_id": lead_id,
        "number": number,
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": "ana@example.com",
        "filename": f"cv{number}.pdf",
        "content_type": PDF,
        "size": 120_000,
        "sha256": "",
        "warnings": "[]",
        "storage_key": key,
        "fingerprint": "",
        "created_at": at,
    }


def _letter(submission_id: str, kind: str, at: str) -> Row:
    return {
        "id": uuid.uuid4().hex,
        "submission_id": submission_id,
        "kind": kind,
        "recipient": "ana@example.com",
        "created_at": at,
        "sent_at": at,
        "attempts": 1,
    }
