"""Thousands of leads, written in bulk without files, to measure the cost of pages."""

import random
import uuid
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert, text

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.formatting import new_reference
from leadapp.leads.matching import new_words
from leadapp.models.leads import Event, Lead, LeadStatus, LeadWord, Submission
from leadapp.models.letters import Letter

AGE = timedelta(days=730)
BATCH = 5000
SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "ti")
Row = dict[str, Any]


def gather(count: int) -> None:
    """Add `count` leads from the last two years; a third of them are pending.

    Each has a submission, an e-mail and an event.
    """
    dice = random.Random(count)
    start = now() - AGE
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        write([_lead(number, dice, start + AGE * (number / count)) for number in numbers])
    analyze()


def lengthen(lead: Lead, submissions: int, events: int, user_id: uuid.UUID | None = None) -> None:
    """Add submissions, each with two e-mails, and views and downloads, one every ten minutes."""
    row = {
        "id": lead.id,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "email": lead.email,
    }
    first = lead.submission_count + 1
    sent, letters, history = [], [], []
    for number in range(first, first + submissions):
        row["created_at"] = lead.created_at + timedelta(hours=number)
        one = _sent(row)
        one["number"] = number
        one["storage_key"] = f"{one['id'].hex}.pdf"
        sent.append(one)
        letters += [_letter(one), dict(_letter(one), kind="notice")]
        history.append(_event(lead, "resubmitted", one["created_at"], None))
    for number in range(events):
        at = lead.created_at + number * timedelta(minutes=10)
        kind = "downloaded" if number % 2 else "viewed"
        history.append(_event(lead, kind, at, user_id))
    if sent:
        db.session.execute(insert(Submission), sent)
        db.session.execute(insert(Letter), letters)
    db.session.execute(insert(Event), history)
    lead.submission_count += submissions
    db.session.commit()
    analyze()


def _event(lead: Lead, kind: str, at: datetime, user_id: uuid.UUID | None) -> Row:
    return {"lead_id": lead.id, "kind": kind, "created_at": at, "user_id": user_id}


def analyze() -> None:
    """Let PostgreSQL count the rows, which its plans depend on."""
    # Autovacuum of PostgreSQL analyzes a table at most once a minute.
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE"))
        db.session.commit()


def write(leads: list[Row]) -> None:
    """Add leads with these columns, each with a submission, an e-mail and an event."""
    sent = [_sent(lead) for lead in leads]
    db.session.execute(insert(Lead), leads)
    words = [row for lead in leads for row in new_words(SimpleNamespace(**lead))]
    db.session.execute(insert(LeadWord), words)
    db.session.execute(insert(Submission), sent)
    db.session.execute(insert(Letter), [_letter(one) for one in sent])
    events = [{"lead_id": lead["id"], "kind": "submitted"} for lead in leads]
    db.session.execute(insert(Event), events)
    db.session.commit()


def _lead(number: int, dice: random.Random, at: datetime) -> Row:
    first, last = _name(dice), _name(dice)
    email = f"{first}.{number}@example.com".lower()
    key = uuid.UUID(int=dice.getrandbits(128))
    status, reached_out = LeadStatus.PENDING, None
    if number % 3:
        status = LeadStatus.REACHED_OUT
        reached_out = at + timedelta(hours=dice.randint(1, 99))
    return {
        "id": key,
        "reference": new_reference(),
        "first_name": first,
        "last_name": last,
        "first_name_key": f"{first} {last}".lower(),
        "last_name_key": f"{last} {first}".lower(),
        "email": email,
        "email_key": email,
        "status": status,
        "reached_out_at": reached_out,
        "created_at": at,
        "updated_at": at,
        "pending_since": at,
    }


def _name(dice: random.Random) -> str:
    syllables = dice.choices(SYLLABLES, k=dice.randint(2, 4))
    return "".join(syllables).title()


def _sent(lead: Row) -> Row:
    return {
        "id": uuid.uuid4(),
        "lead_id": lead["id"],
        "number": 1,
        "first_name": lead["first_name"],
        "last_name": lead["last_name"],
        "email": lead["email"],
        "created_at": lead["created_at"],
        "filename": "cv.pdf",
        "content_type": "application/pdf",
        "size": 50_000,
        "sha256": "0" * 64,
        "warnings": [],
        "storage_key": f"{lead['id'].hex}.pdf",
        "fingerprint": "0" * 64,
    }


def _letter(sent: Row) -> Row:
    return {
        "submission_id": sent["id"],
        "kind": "confirmation",
        "recipient": sent["email"],
        "created_at": sent["created_at"],
        "sent_at": sent["created_at"],
        "next_at": None,
    }
