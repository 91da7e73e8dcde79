"""The history of a lead."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    cast,
    desc,
    insert,
    literal_column,
    null,
    select,
    union_all,
)

from ..clock import now
from ..extensions import db
from ..models.accounts import User
from ..models.leads import IS_EXPORT, IS_VIEW, Event, Lead, Submission
from ..models.letters import Letter

ENTRIES_MAX = 50  # on one page
# Views of an unchanged lead by one user within this time are one line, and are recorded once.
ONE_VIEW_IN = timedelta(hours=1)
CHANGES = ("resubmitted", "marked", "undone")
# A sent e-mail has no event id. With this one, it follows the events of the same moment.
AFTER_EVENTS: ColumnElement[int] = literal_column(str(2**31 - 1))

# Composed once. Adding a row through the ORM session costs several times as much.
INSERT_EVENT = insert(Event)
SELECT_VIEW = (
    select(Event.id)
    .where(IS_VIEW, Event.lead_id == bindparam("lead_id"), Event.user_id == bindparam("user_id"))
    .where(Event.created_at > bindparam("since"))
    # The order keeps PostgreSQL on the index, where the limit alone may lead it to the table.
    .order_by(Event.created_at.desc())
    .limit(1)
)

EVENTS = select(
    Event.created_at.label("at"),
    Event.id,
    Event.kind,
    Event.user_id,
    Event.request_id,
)
EVENTS_NEWEST_FIRST = EVENTS.order_by(Event.created_at.desc(), Event.id.desc())
OF_LEAD = EVENTS_NEWEST_FIRST.where(Event.lead_id == bindparam("lead_id"))
# Each export since the lead was created may include the lead.
EXPORTS = EVENTS_NEWEST_FIRST.where(IS_EXPORT, Event.created_at >= bindparam("lead_created_at"))
SENT_LETTERS = (
    select(
        Letter.sent_at.label("at"),
        AFTER_EVENTS.label("id"),
        ("sent_" + Letter.kind).label("kind"),
        cast(null(), Event.user_id.type).label("user_id"),
        null().label("request_id"),
    )
    .join(Submission)
    .where(Submission.lead_id == bindparam("lead_id"))
    .where(Submission.number > bindparam("after_submission"))
    .where(Letter.sent_at.is_not(None))
    .order_by(Letter.sent_at.desc(), Letter.kind.desc())
)


def _up_to_end(part: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """End a part where the page ends; otherwise, PostgreSQL would read the whole part."""
    return select(part.limit(bindparam("end")).subquery())


ENTRIES = (
    union_all(_up_to_end(OF_LEAD), _up_to_end(EXPORTS), _up_to_end(SENT_LETTERS))
    .order_by(desc("at"), desc("id"), desc("kind"))
    .limit(ENTRIES_MAX + 1)
    .offset(bindparam("skipped"))
    .subquery()
)
SELECT_ENTRIES = (
    select(ENTRIES, User.username)
    .outerjoin(User, User.id == ENTRIES.c.user_id)
    .order_by(ENTRIES.c.at, ENTRIES.c.id, ENTRIES.c.kind)
)


@dataclass
class HistoryLine:
    """One line of a lead's history. `times` counts the views in it."""

    at: datetime
    kind: str
    username: str | None = None
    request_id: str | None = None
    times: int = 1


@dataclass(frozen=True)
class HistoryPart:
    """One page of a lead's history, oldest first. The first page has the newest entries."""

    lines: Sequence[HistoryLine]
    page: int
    has_older: bool


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


def is_view_recorded(lead: Lead, user_id: uuid.UUID, at: datetime) -> bool:
    """Return whether a view by this user is recorded, within an hour and since the last change."""
    since = max(at - ONE_VIEW_IN, lead.updated_at)
    view = {"lead_id": lead.id, "user_id": user_id, "since": since}
    return db.session.connection().execute(SELECT_VIEW, view).first() is not None


def read_latest(lead: Lead) -> HistoryPart:
    """Return the newest entries: events, exports and sent e-mails.

    It does not look for e-mails about earlier submissions than the newest ENTRIES_MAX. The database
    would have to read all of them, to find an e-mail that was sent late. `read_page` finds it.
    """
    return read_page(lead, page=1, after_submission=lead.submission_count - ENTRIES_MAX)


def read_page(lead: Lead, page: int, after_submission: int = 0) -> HistoryPart:
    """Return one page of the history, with e-mails about the submissions after this number."""
    skipped = (page - 1) * ENTRIES_MAX
    values = {
        "lead_id": lead.id,
        "lead_created_at": lead.created_at,
        "after_submission": after_submission,
        "end": skipped + ENTRIES_MAX + 1,
        "skipped": skipped,
    }
    rows = db.session.connection().execute(SELECT_ENTRIES, values).all()
    # One more entry than a page has shows that there are older ones. It comes first.
    lines = _fold(rows[-ENTRIES_MAX:])
    return HistoryPart(lines, page, has_older=len(rows) > ENTRIES_MAX)


def _fold(entries: Iterable[Row[Any]]) -> list[HistoryLine]:
    """Return the lines of these entries, with repeated views of an unchanged lead as one line.

    Such views are no longer recorded, but older versions recorded each of them.
    """
    lines: list[HistoryLine] = []
    views: dict[uuid.UUID, HistoryLine] = {}  # the line that counts the views of each user
    for entry in entries:
        if entry.kind in CHANGES:
            views.clear()
        line = HistoryLine(entry.at, entry.kind, entry.username, entry.request_id)
        if entry.kind == "viewed" and entry.user_id:
            first = views.get(entry.user_id)
            if first and line.at < first.at + ONE_VIEW_IN:
                first.times += 1
                continue
            views[entry.user_id] = line
        lines.append(line)
    return lines
