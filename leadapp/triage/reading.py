"""Read a lead, its history and its resumes, record each access, and erase a lead."""

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
from ..models.accounts import User
from ..models.leads import Event, Lead, Submission
from ..models.letters import Letter
from ..storage import store
from ..wording import now
from .finding import WHOLE

# Composed once. Adding a row through the ORM session costs several times as much.
INSERT_EVENT = insert(Event)


class HistoryLine(NamedTuple):
    """One line of a lead's history."""

    at: datetime
    kind: str
    user: User | None = None
    request_id: str | None = None


def read(lead_id: uuid.UUID) -> Lead:
    """Read the current state of a lead, or raise NotFound."""
    whole = select(Lead).options(*WHOLE).where(Lead.id == lead_id)
    lead = db.session.scalar(whole, execution_options={"populate_existing": True})
    if lead is None:
        raise NotFound("lead_unknown")
    return lead


def record(kind: str, lead_id: uuid.UUID | None, by: User | None) -> None:
    """Record an event in the caller's transaction."""
    db.session.connection().execute(
        INSERT_EVENT, {"kind": kind, "lead_id": lead_id, "user_id": by and by.id}
    )


@contextmanager
def _committed() -> Iterator[None]:
    """Commit the rows that the block writes about a lead, or raise NotFound if it was just erased.

    A foreign key rejects rows about an erased lead.
    """
    try:
        yield
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise NotFound("lead_unknown") from error


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its submissions, and record that this user viewed it.

    A view changes neither updated_at nor the place of the lead in a list.
    """
    lead = read(lead_id)
    unseen = update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None))
    with _committed():
        if lead.seen_at is None:
            db.session.execute(unseen.values(seen_at=now()))
        record("viewed", lead_id, by)
    return lead


def letters_of(lead_id: uuid.UUID) -> Sequence[Letter]:
    """List the e-mails about a lead, newest first."""
    owed = select(Letter).join(Submission).where(Submission.lead_id == lead_id)
    return db.session.scalars(owed.order_by(Letter.created_at.desc(), Letter.kind)).all()


def send_letter_again(lead_id: uuid.UUID, letter_id: uuid.UUID, by: User) -> None:
    """Queue an e-mail about this lead again, unless it is still queued."""
    theirs = (
        select(Letter.id)
        .join(Submission)
        .where(Letter.id == letter_id, Submission.lead_id == lead_id)
    )
    if db.session.scalar(theirs) is None:
        raise NotFound("letter_unknown")
    with _committed():
        if letters.send_again(letter_id):
            record("letter_again", lead_id, by)


def list_history(lead: Lead, owed: Sequence[Letter]) -> list[HistoryLine]:
    """List the history of a lead, oldest first.

    It has the lead's events, the e-mails sent, and all exports since the lead was created, because
    each may include it.
    """
    exported = and_(
        Event.lead_id.is_(None), Event.kind == "exported", Event.created_at >= lead.created_at
    )
    events = (
        select(Event).options(joinedload(Event.user)).where(or_(Event.lead_id == lead.id, exported))
    )
    noted = db.session.scalars(events.order_by(Event.id)).all()
    lines = [
        HistoryLine(event.created_at, event.kind, event.user, event.request_id) for event in noted
    ]
    lines += [
        HistoryLine(letter.sent_at, f"sent_{letter.kind}") for letter in owed if letter.sent_at
    ]
    return sorted(lines, key=lambda line: line.at)


def open_resume(
    lead_id: uuid.UUID, by: User, submission_id: uuid.UUID | None = None, as_preview: bool = False
) -> tuple[Submission, IO[bytes]]:
    """Open the resume of a submission, by default the newest, and record that this user opened it.

    Raises NotFound for a preview of any file but a PDF.
    """
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
            record("previewed" if as_preview else "downloaded", lead_id, by)
    except Exception:
        file.close()
        raise
    return submission, file


def erase_by_reference(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase a lead, or raise InvalidInput if the typed reference is not its own."""
    lead = read(lead_id)
    if reference.strip().upper() != lead.reference:
        raise InvalidInput({"reference": [Message("reference_other", reference=lead.reference)]})
    if not erasures.erase(lead_id, by=by):
        raise NotFound("lead_unknown")  # a colleague erased it first
