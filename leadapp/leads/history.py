"""The history of a lead."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.orm import joinedload

from ..clock import now
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Event, Lead
from ..models.letters import Letter

# Composed once. Adding a row through the ORM session costs several times as much.
INSERT_EVENT = insert(Event)


class HistoryLine(NamedTuple):
    """One line of a lead's history."""

    at: datetime
    kind: str
    user: User | None = None
    request_id: str | None = None


def record(
    kind: str,
    lead_id: uuid.UUID | None,
    user_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Record an event in the caller's transaction, by default at the current time."""
    row = {
        "kind": kind,
        "lead_id": lead_id,
        "user_id": user_id,
        "created_at": at or now(),
    }
    db.session.connection().execute(INSERT_EVENT, row)


def list_history(lead: Lead, letters: Sequence[Letter]) -> list[HistoryLine]:
    """List the history of a lead, oldest first.

    It has the lead's events, the e-mails that were sent, and all exports since the lead was
    created, because each export may include the lead.
    """
    of_lead = Event.lead_id == lead.id
    exported = and_(
        Event.lead_id.is_(None),
        Event.kind == "exported",
        Event.created_at >= lead.created_at,
    )
    events = (
        select(Event)
        .options(joinedload(Event.user))
        .where(or_(of_lead, exported))
        .order_by(Event.id)
    )
    lines = []
    for event in db.session.scalars(events):
        lines.append(HistoryLine(event.created_at, event.kind, event.user, event.request_id))
    for letter in letters:
        if letter.sent_at:
            lines.append(HistoryLine(letter.sent_at, f"sent_{letter.kind}"))
    return sorted(lines, key=lambda line: line.at)
