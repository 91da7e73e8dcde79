"""Read a lead, its history and its resumes, and record each access."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from ..clock import now
from ..codes import Code
from ..errors import NotFound
from ..extensions import db
from ..mail import queue
from ..models.accounts import User
from ..models.leads import LATEST_MAX, Lead, Submission
from ..models.letters import Letter
from ..resumes.formats import PDF
from ..resumes.store import store
from . import search
from .history import HistoryPart, is_view_recorded, read_latest, read_page, record
from .letters import Unsent, count_earlier_unsent, letters_of
from .neighbours import Neighbours, find_neighbours
from .paging import Paged

# Composed once, since composing a statement costs more than running it (decision 5).
SELECT_LEAD = (
    select(Lead).options(joinedload(Lead.marked_by)).where(Lead.id == bindparam("lead_id"))
)
WITH_LATEST = SELECT_LEAD.options(joinedload(Lead.latest))


@dataclass(frozen=True)
class LeadPage:
    """A lead with everything that its page shows."""

    lead: Lead
    letters: Sequence[Letter]
    earlier_unsent: Sequence[Unsent]
    history: HistoryPart
    neighbours: Neighbours


@dataclass(frozen=True)
class SubmissionsPage:
    """A lead with one page of its submissions, and the e-mails about them."""

    lead: Lead
    submissions: Paged[Submission]
    letters: Sequence[Letter]


@dataclass(frozen=True)
class HistoryPage:
    """A lead with one page of its history."""

    lead: Lead
    history: HistoryPart


def page(lead_id: uuid.UUID, by: User, query: search.Query) -> LeadPage:
    """Read a lead with its latest submissions, e-mails and events, and record the view.

    Also finds its neighbors in a list.
    """
    lead = show(lead_id, by)
    return LeadPage(
        lead=lead,
        letters=letters_of(lead.latest),
        earlier_unsent=count_earlier_unsent(lead),
        history=read_latest(lead),
        neighbours=find_neighbours(lead, query),
    )


def submissions_page(lead_id: uuid.UUID, by: User, page: int) -> SubmissionsPage:
    """Read one page of a lead's submissions, newest first, and record the view."""
    lead = _open(lead_id, by)
    submissions = _read_submissions(lead, page, LATEST_MAX)
    return SubmissionsPage(lead, submissions, letters_of(submissions.items))


def history_page(lead_id: uuid.UUID, by: User, page: int) -> HistoryPage:
    """Read one page of a lead's history, and record the view."""
    lead = _open(lead_id, by)
    return HistoryPage(lead, read_page(lead, page))


def list_submissions(
    lead_id: uuid.UUID, by: User, page: int = 1, size: int = LATEST_MAX
) -> Paged[Submission]:
    """Read some of a lead's submissions, newest first, and record the view."""
    return _read_submissions(_open(lead_id, by), page, size)


def show(lead_id: uuid.UUID, by: User) -> Lead:
    """Read a lead with its latest submissions, and record that this user viewed it."""
    return _open(lead_id, by, WITH_LATEST)


def _open(lead_id: uuid.UUID, by: User, statement: Select[Lead] = SELECT_LEAD) -> Lead:
    """Read a lead, and record that this user viewed it.

    A view changes neither updated_at nor the place of the lead in a list. Another view by the same
    user within an hour is recorded only if the lead has changed.
    """
    lead = read(lead_id, statement)
    at = now()
    if lead.seen_at and is_view_recorded(lead, by.id, at):
        return lead
    unseen = update(Lead).where(Lead.id == lead_id, Lead.seen_at.is_(None))
    with _committed():
        if lead.seen_at is None:
            db.session.execute(unseen.values(seen_at=at))
        record("viewed", lead_id, by.id, at)
    return lead


def read(lead_id: uuid.UUID, statement: Select[Lead] = SELECT_LEAD) -> Lead:
    """Read the current state of a lead, or raise NotFound."""
    found = db.session.scalars(
        statement, {"lead_id": lead_id}, execution_options={"populate_existing": True}
    )
    lead = found.unique().one_or_none()
    if lead is None:
        raise NotFound(Code.LEAD_UNKNOWN)
    return lead


def _read_submissions(lead: Lead, page: int, size: int) -> Paged[Submission]:
    """Read one page of submissions. Their numbers run from 1 to the lead's count."""
    last = lead.submission_count - (page - 1) * size
    of_page = (
        select(Submission)
        .where(Submission.lead_id == lead.id)
        .where(Submission.number <= last, Submission.number > last - size)
        .order_by(Submission.number.desc())
    )
    submissions = db.session.scalars(of_page).all()
    return Paged(submissions, lead.submission_count, page, size)


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
