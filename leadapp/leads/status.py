"""Mark a lead as reached out, once, and undo the mark within ten minutes."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import update

from ..clock import now
from ..codes import Code
from ..errors import Conflict, LeadappError
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus
from .detail import read
from .history import record

UNDO_FOR = timedelta(minutes=10)


class Marked(NamedTuple):
    """A lead that is marked as reached out, and whether this call marked it."""

    lead: Lead
    now: bool


def check_transition(status: LeadStatus) -> None:
    """Raise Conflict unless the new status is REACHED_OUT."""
    if status != LeadStatus.REACHED_OUT:
        raise Conflict(Code.STATUS_TRANSITION)


def check_version(lead_id: uuid.UUID, is_seen: Callable[[str], bool]) -> int:
    """Return the number of submissions in the version of the lead that the client saw.

    Raises VersionStale if the lead has changed since.
    """
    lead = read(lead_id)
    if not is_seen(lead.version):
        raise LeadappError(Code.VERSION_STALE)
    return lead.submission_count


def mark_reached_out(lead_id: uuid.UUID, by: User, submission_count: int | None = None) -> Marked:
    """Mark a lead as reached out. If it is marked already, keep the first mark and succeed.

    `submission_count` is the number of submissions that the attorney saw. Raises Conflict if
    another has arrived since. The count is a column of the lead, so a single UPDATE checks it and
    sets the mark, even while another submission arrives.
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
        record("marked", lead_id, by.id)
    db.session.commit()
    lead = read(lead_id)
    if not marked and lead.status == LeadStatus.PENDING:
        raise Conflict(Code.SUBMISSION_NEWER)
    return Marked(lead, marked)


def undo(lead_id: uuid.UUID, by: User, version: str) -> Lead:
    """Undo the mark of this version of the lead, which becomes pending again.

    Raises Conflict if the mark is older than ten minutes or if the lead has been marked again.
    """
    at, lead = now(), read(lead_id)
    same = update(Lead).where(Lead.id == lead_id, Lead.updated_at == lead.updated_at)
    undoing = same.where(Lead.reached_out_at > at - UNDO_FOR).values(
        status=LeadStatus.PENDING, reached_out_at=None, reached_out_by=None, updated_at=at
    )
    if lead.version == version and db.session.scalar(undoing.returning(Lead.id)):
        record("undone", lead_id, by.id)
    db.session.commit()
    lead = read(lead_id)
    if lead.status != LeadStatus.PENDING:
        raise Conflict(Code.UNDO_LATE if lead.version == version else Code.MARK_CHANGED)
    return lead
