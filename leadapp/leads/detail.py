"""Read a lead, its history and its resumes, and record each access."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from ..clock import now
from ..codes import Code
from ..errors import NotFound
from ..extensions import db
from ..mail import queue
from ..models.accounts import User
from ..models.leads import Lead, Submission
from ..models.letters import Letter
from ..resumes.formats import PDF
from ..resumes.store import store
from . import search
from .history import HistoryLine, list_history, record


@dataclass(frozen=True)
class LeadPage:
    """A lead with everything that its page shows."""

    lead: Lead
    letters: Sequence[Letter]
    history: Sequence[HistoryLine]
    neighbours: search.Neighbours


def page(lead_id: uuid.UUID, by: User, query: search.Query) -> LeadPage:
    """Read a lead, its e-mails, its history and its neighbors in a list, and record the view."""
    lead = show(lead_id, by)
    letters = letters_of(lead_id)
    history = list_history(lead, letters)
    return LeadPage(lead, letters, history, search.neighbours(lead, query))


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its submissions, and record that this user viewed it.

    A view changes neither updated_at nor the place of the lead in a list.
    """
    lead = read(lead_id, with_submissions=True)
    unseen = update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None))
    with _committed():
        if lead.seen_at is None:
            db.session.execute(unseen.values(seen_at=now()))
        record("viewed", lead_id, by.id)
    return lead


def read(lead_id: uuid.UUID, with_submissions: bool = False) -> Lead:
    """Read the current state of a lead, or raise NotFound."""
    reading = select(Lead).options(joinedload(Lead.marked_by)).where(Lead.id == lead_id)
    if with_submissions:
        reading = reading.options(selectinload(Lead.submissions))
    lead = db.session.scalar(reading, execution_options={"populate_existing": True})
    if lead is None:
        raise NotFound(Code.LEAD_UNKNOWN)
    return lead


def letters_of(lead_id: uuid.UUID) -> Sequence[Letter]:
    """List the e-mails about a lead, newest first."""
    about_lead = (
        select(Letter)
        .join(Submission)
        .where(Submission.lead_id == lead_id)
        .order_by(Letter.created_at.desc(), Letter.kind)
    )
    return db.session.scalars(about_lead).all()


def send_letter_again(lead_id: uuid.UUID, letter_id: uuid.UUID, by: User) -> None:
    """Queue an e-mail about this lead again, unless it is waiting."""
    about_lead = select(Letter.id).join(Submission).where(Submission.lead_id == lead_id)
    if db.session.scalar(about_lead.where(Letter.id == letter_id)) is None:
        raise NotFound(Code.LETTER_UNKNOWN)
    with _committed():
        if queue.send_again(letter_id):
            record("letter_again", lead_id, by.id)


def open_resume(
    lead_id: uuid.UUID,
    by: User,
    submission_id: uuid.UUID | None = None,
    as_preview: bool = False,
) -> tuple[Submission, IO[bytes]]:
    """Open the resume of a submission, by default the newest, and record that this user opened it.

    Raises NotFound for a preview of any file but a PDF.
    """
    submission = _find_submission(lead_id, submission_id)
    if as_preview and submission.content_type != PDF:
        raise NotFound(Code.PREVIEW_NONE)
    file = store.open(submission.storage_key)
    try:
        with _committed():
            record("previewed" if as_preview else "downloaded", lead_id, by.id)
    except Exception:
        file.close()
        raise
    return submission, file


def _find_submission(lead_id: uuid.UUID, submission_id: uuid.UUID | None) -> Submission:
    """Return a submission of a lead, by default the newest, or raise NotFound."""
    of_lead = select(Submission).where(Submission.lead_id == lead_id)
    if submission_id:
        of_lead = of_lead.where(Submission.id == submission_id)
    newest_first = of_lead.order_by(Submission.number.desc())
    submission = db.session.scalar(newest_first.limit(1))
    if submission is None:
        raise NotFound(Code.SUBMISSION_UNKNOWN if submission_id else Code.LEAD_UNKNOWN)
    return submission


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
