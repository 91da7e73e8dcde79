"""What an attorney does: search leads, read one, open a resume, mark it as reached out."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from . import letters
from .errors import Conflict, NotFound, VersionStale
from .extensions import db
from .models import Event, Lead, LeadStatus, Letter, Submission, User
from .rules import fold
from .storage import store
from .wording import now

# Each order is an index of leads, ties by id; nobody shares an e-mail. Only those who wait have no reached_out_at, so
# the status before it puts the empty ones on the same side on every database.
ORDERS: dict[str, tuple[Any, ...]] = {
    "created_at": (Lead.created_at, Lead.id),
    "updated_at": (Lead.updated_at, Lead.id),
    "pending_since": (Lead.pending_since, Lead.id),
    "reached_out_at": (Lead.status, Lead.reached_out_at, Lead.id),
    "first_name": (Lead.first_name_key, Lead.id),
    "last_name": (Lead.last_name_key, Lead.id),
    "email": (Lead.email_key,),
    "status": (Lead.status, Lead.id),
}


@dataclass(frozen=True)
class Query:
    """Which leads, in which order, and which page of them."""

    status: LeadStatus | None = None
    q: str = ""
    sort_by: str = "created_at"
    sort_desc: bool = True
    page: int = 1
    size: int = 10


@dataclass(frozen=True)
class Page:
    """One page of the leads that match, and how many match in each status."""

    items: Sequence[Lead]
    counts: dict[LeadStatus, int]
    query: Query

    @property
    def total(self) -> int:
        """Count all that match, this status only if one was asked for."""
        status = self.query.status
        return self.counts.get(status, 0) if status else sum(self.counts.values())

    @property
    def pages(self) -> int:
        """Count the pages."""
        return -(-self.total // self.query.size)

    @property
    def first(self) -> int:
        """Number the first lead of this page, from 1."""
        return (self.query.page - 1) * self.query.size + 1


class Marked(NamedTuple):
    """A lead that has been reached out to, and whether this was the time."""

    lead: Lead
    now: bool


def search(query: Query) -> Page:
    """Find leads by status and by the start of a name, an e-mail or a reference."""
    matches = _starts_with(query.q) if query.q else None
    counting = select(Lead.status, func.count()).group_by(Lead.status)
    listing = select(Lead).options(selectinload(Lead.submissions), joinedload(Lead.marked_by))
    if matches is not None:
        counting, listing = counting.where(matches), listing.where(matches)
    if query.status:
        listing = listing.where(Lead.status == query.status)
    order = [column.desc() if query.sort_desc else column for column in ORDERS[query.sort_by]]
    listing = listing.order_by(*order).limit(query.size).offset((query.page - 1) * query.size)
    counts = {status: count for status, count in db.session.execute(counting)}
    return Page(db.session.scalars(listing).all(), counts, query)


def _starts_with(typed: str) -> ColumnElement[bool]:
    """Match a prefix as a range of a sorted column, which an index serves on every database."""
    folded = fold(typed) or typed
    searched = {
        Lead.first_name_key: folded,
        Lead.last_name_key: folded,
        Lead.email_key: typed.lower(),
        Lead.reference: typed.upper(),
    }
    return or_(*(column.between(start, start + "\U0010ffff") for column, start in searched.items()))


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its submissions; writes down who looked, which changes neither updated_at nor its order."""
    lead = _lead(lead_id)
    if lead.seen_at is None:
        db.session.execute(update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None)).values(seen_at=now()))
    _happened("viewed", lead_id, by)
    db.session.commit()
    return lead


def letters_of(lead_id: uuid.UUID) -> Sequence[Letter]:
    """List the letters of a lead, newest first."""
    owed = select(Letter).join(Submission).where(Submission.lead_id == lead_id)
    return db.session.scalars(owed.order_by(Letter.created_at.desc(), Letter.kind)).all()


def send_letter_again(lead_id: uuid.UUID, letter_id: uuid.UUID, by: User) -> None:
    """Owe a letter of this lead once more, unless it waits anyway."""
    theirs = select(Letter.id).join(Submission).where(Letter.id == letter_id, Submission.lead_id == lead_id)
    if db.session.scalar(theirs) is None:
        raise NotFound("letter_unknown")
    if letters.send_again(letter_id):
        _happened("letter_again", lead_id, by)
    db.session.commit()


def history(lead_id: uuid.UUID) -> Sequence[Event]:
    """List what happened to a lead, in order."""
    events = select(Event).options(joinedload(Event.user)).where(Event.lead_id == lead_id)
    return db.session.scalars(events.order_by(Event.id)).all()


def check_transition(status: LeadStatus) -> None:
    """Refuse every way a status cannot move."""
    if status != LeadStatus.REACHED_OUT:
        raise Conflict("status_transition")


def seen_as(lead_id: uuid.UUID, is_seen: Callable[[str], bool]) -> int:
    """Tell how many submissions a client saw that knows this version of the lead, or raise VersionStale."""
    lead = _lead(lead_id)
    if not is_seen(lead.version):
        raise VersionStale("version_stale")
    return lead.submission_count


def mark_reached_out(lead_id: uuid.UUID, by: User, submission_count: int | None = None) -> Marked:
    """Mark a lead as reached out; for whoever comes second it is an outcome, and the first mark stays.

    With `submission_count`, how many submissions the attorney saw, a newer one raises Conflict. The count stands on
    the lead's own row, so that the one UPDATE decides even while another submission arrives.
    """
    at = now()
    waiting = update(Lead).where(Lead.id == lead_id, Lead.status == LeadStatus.PENDING)
    if submission_count is not None:
        waiting = waiting.where(Lead.submission_count == submission_count)
    marking = waiting.values(
        status=LeadStatus.REACHED_OUT, reached_out_at=at, reached_out_by=by.id, updated_at=at
    ).returning(Lead.id)
    marked = db.session.scalar(marking) is not None
    if marked:
        _happened("marked", lead_id, by)
    db.session.commit()
    lead = _lead(lead_id)
    if not marked and lead.status == LeadStatus.PENDING:
        raise Conflict("submission_newer")
    return Marked(lead, marked)


def open_resume(lead_id: uuid.UUID, by: User, submission_id: uuid.UUID | None = None) -> tuple[Submission, IO[bytes]]:
    """Open a resume, the newest unless a submission is named; writes down who took it."""
    theirs = select(Submission).where(Submission.lead_id == lead_id)
    if submission_id:
        theirs = theirs.where(Submission.id == submission_id)
    submission = db.session.scalar(theirs.order_by(Submission.number.desc()).limit(1))
    if submission is None:
        raise NotFound("submission_unknown" if submission_id else "lead_unknown")
    file = store.open(submission.storage_key)
    _happened("downloaded", lead_id, by)
    db.session.commit()
    return submission, file


def _lead(lead_id: uuid.UUID) -> Lead:
    whole = select(Lead).options(selectinload(Lead.submissions), joinedload(Lead.marked_by))
    lead = db.session.scalar(whole.where(Lead.id == lead_id), execution_options={"populate_existing": True})
    if lead is None:
        raise NotFound("lead_unknown")
    return lead


def _happened(kind: str, lead_id: uuid.UUID, by: User) -> None:
    db.session.add(Event(kind=kind, lead_id=lead_id, user_id=by.id))
