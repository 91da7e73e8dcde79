"""A lead and all that belongs to it: read, with who looked written down, and erased."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, NamedTuple

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from .. import erasures, letters
from ..errors import InvalidInput, Message, NotFound
from ..extensions import db
from ..models import Event, Lead, Letter, Submission, User
from ..storage import store
from ..wording import now
from .finding import WHOLE

# Composed once; the session's own way of adding a row costs several times this one.
HAPPEN = insert(Event)


class Happening(NamedTuple):
    """One line of a lead's history."""

    at: datetime
    kind: str
    user: User | None = None
    request_id: str | None = None


def read(lead_id: uuid.UUID) -> Lead:
    """Read a lead as it stands now, or raise NotFound."""
    whole = select(Lead).options(*WHOLE).where(Lead.id == lead_id)
    lead = db.session.scalar(whole, execution_options={"populate_existing": True})
    if lead is None:
        raise NotFound("lead_unknown")
    return lead


def happened(kind: str, lead_id: uuid.UUID | None, by: User | None) -> None:
    """Write an event down, inside the caller's transaction."""
    db.session.connection().execute(
        HAPPEN, {"kind": kind, "lead_id": lead_id, "user_id": by and by.id}
    )


@contextmanager
def _committed() -> Iterator[None]:
    """Commit what the block writes about a lead, or raise NotFound if it was erased meanwhile.

    A foreign key refuses rows about a lead that is gone.
    """
    try:
        yield
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise NotFound("lead_unknown") from error


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its submissions; writes down who looked, which changes neither updated_at nor its order."""
    lead = read(lead_id)
    unseen = update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None))
    with _committed():
        if lead.seen_at is None:
            db.session.execute(unseen.values(seen_at=now()))
        happened("viewed", lead_id, by)
    return lead


def letters_of(lead_id: uuid.UUID) -> Sequence[Letter]:
    """List the letters of a lead, newest first."""
    owed = select(Letter).join(Submission).where(Submission.lead_id == lead_id)
    return db.session.scalars(owed.order_by(Letter.created_at.desc(), Letter.kind)).all()


def send_letter_again(lead_id: uuid.UUID, letter_id: uuid.UUID, by: User) -> None:
    """Owe a letter of this lead once more, unless it waits anyway."""
    theirs = (
        select(Letter.id)
        .join(Submission)
        .where(Letter.id == letter_id, Submission.lead_id == lead_id)
    )
    if db.session.scalar(theirs) is None:
        raise NotFound("letter_unknown")
    with _committed():
        if letters.send_again(letter_id):
            happened("letter_again", lead_id, by)


def history(lead: Lead, owed: Sequence[Letter]) -> list[Happening]:
    """List what happened to a lead, in order: its events, the letters that left, and the exports it may stand in."""
    exported = and_(
        Event.lead_id.is_(None), Event.kind == "exported", Event.created_at >= lead.created_at
    )
    events = (
        select(Event).options(joinedload(Event.user)).where(or_(Event.lead_id == lead.id, exported))
    )
    noted = db.session.scalars(events.order_by(Event.id)).all()
    lines = [
        Happening(event.created_at, event.kind, event.user, event.request_id) for event in noted
    ]
    lines += [Happening(letter.sent_at, f"sent_{letter.kind}") for letter in owed if letter.sent_at]
    return sorted(lines, key=lambda line: line.at)


def open_resume(
    lead_id: uuid.UUID, by: User, submission_id: uuid.UUID | None = None, as_preview: bool = False
) -> tuple[Submission, IO[bytes]]:
    """Open a resume, the newest unless a submission is named; writes down who took it. Only a PDF has a preview."""
    theirs = select(Submission).where(Submission.lead_id == lead_id)
    if submission_id:
        theirs = theirs.where(Submission.id == submission_id)
    submission = db.session.scalar(theirs.order_by(Submission.number.desc()).limit(1))
    if submission is None:
        raise NotFound("submission_unknown" if submission_id else "lead_unknown")
    if as_preview and submission.content_type != "application/pdf":
        raise NotFound("preview_none")
    file = store.open(submission.storage_key)
    try:
        with _committed():
            happened("previewed" if as_preview else "downloaded", lead_id, by)
    except Exception:
        file.close()
        raise
    return submission, file


def erase(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase the lead of this reference."""
    lead = read(lead_id)
    if reference.strip().upper() != lead.reference:
        raise InvalidInput({"reference": [Message("reference_other", reference=lead.reference)]})
    if not erasures.erase(lead_id, by=by):
        raise NotFound("lead_unknown")  # a colleague was quicker
