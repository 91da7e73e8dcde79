"""Thousands of leads, written in bulk without files, to measure the cost of pages."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.formatting import new_reference
from leadapp.models.leads import Event, Lead, LeadStatus, Submission
from leadapp.models.letters import Letter

AGE = timedelta(days=730)
BATCH = 5000
SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "ti")
Row = dict[str, Any]


def gather(count: int) -> None:
    """Add `count` leads from the last two years; a third of them are pending.

    Each has a submission, an e-mail and an event.
    """
    dice, start = random.Random(count), now() - AGE
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        leads = [_lead(number, dice, start + AGE * (number / count)) for number in numbers]
        sent = [_sent(lead, number) for lead, number in zip(leads, numbers, strict=True)]
        db.session.execute(insert(Lead), leads)
        db.session.execute(insert(Submission), sent)
        db.session.execute(insert(Letter), [_letter(one) for one in sent])
        db.session.execute(
            insert(Event), [{"lead_id": lead["id"], "kind": "submitted"} for lead in leads]
        )
        db.session.commit()
    # Autovacuum of PostgreSQL analyzes a table at most once a minute.
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE"))
        db.session.commit()


def _lead(number: int, dice: random.Random, at: datetime) -> Row:
    first, last = ("".join(dice.choices(SYLLABLES, k=dice.randint(2, 4))).title() for _ in range(2))
    email, waits = f"{first}.{number}@example.com".lower(), number % 3 == 0
    return {
        "id": uuid.UUID(int=dice.getrandbits(128)),
        "reference": new_reference(),
        "first_name": first,
        "last_name": last,
        "first_name_key": f"{first} {last}".lower(),
        "last_name_key": f"{last} {first}".lower(),
        "email": email,
        "email_key": email,
        "status": LeadStatus.PENDING if waits else LeadStatus.REACHED_OUT,
        "reached_out_at": None if waits else at + timedelta(hours=dice.randint(1, 99)),
        **dict.fromkeys(("created_at", "updated_at", "pending_since"), at),
    }


def _sent(lead: Row, number: int) -> Row:
    typed = {name: lead[name] for name in ("first_name", "last_name", "email", "created_at")}
    file = {
        "filename": "cv.pdf",
        "content_type": "application/pdf",
        "size": 50_000,
        "sha256": "0" * 64,
        "warnings": [],
    }
    names = {"storage_key": f"{number:032}.pdf", "fingerprint": "0" * 64, "number": 1}
    return typed | file | names | {"id": uuid.uuid4(), "lead_id": lead["id"]}


def _letter(sent: Row) -> Row:
    at = sent["created_at"]
    whom = {"submission_id": sent["id"], "kind": "confirmation", "recipient": sent["email"]}
    return whom | {"created_at": at, "sent_at": at, "next_at": None}
