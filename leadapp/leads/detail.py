"""Read a lead, its history and its resumes, record each access, and erase a lead."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from ..clock import now
from ..codes import Code
from ..errors import NotFound
from ..extensions import db
from ..mail import queue
from ..models.accounts import User
from ..models.leads import Lead, Submission
from ..models.letters import Letter
from ..resumes.store import store
from .history import record
from .search import WHOLE


def read(lead_id: uuid.UUID) -> Lead:
    """Read the current state of a lead, or raise NotFound."""
    whole = select(Lead).options(*WHOLE).where(Lead.id == lead_id)
    lead = db.session.scalar(whole, execution_options={"populate_existing": True})
    if lead is None:
        raise NotFound(Code.LEAD_UNKNOWN)
    return lead


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
        raise NotFound(Code.LEAD_UNKNOWN) from error


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its submissions, and record that this user viewed it.

    A view changes neither updated_at nor the place of the lead in a list.
    """
    lead = read(lead_id)
    unseen = update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None))
    with _committed():
        if lead.seen_at is None:
            db.session.execute(unseen.values(seen_at=now()))
        record("viewed", lead_id, by.id)
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
        raise NotFound(Code.LETTER_UNKNOWN)
    with _committed():
        if queue.send_again(letter_id):
            record("letter_again", lead_id, by.id)


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
        raise NotFound(Code.SUBMISSION_UNKNOWN if submission_id else Code.LEAD_UNKNOWN)
    if as_preview and submission.content_type != "application/pdf":
        raise NotFound(Code.PREVIEW_NONE)
    file = store.open(submission.storage_key)
    try:
        with _committed():
            record("previewed" if as_preview else "downloaded", lead_id, by.id)
    except Exception:
        file.close()
        raise
    return submission, file
