"""Mark a lead as reached out, once, and undo the mark within ten minutes."""

import uuid
from collections.abc import Collection
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
from .neighbours import find_following
from .search import Query

UNDO_FOR = timedelta(minutes=10)


class Marked(NamedTuple):
    """A lead that is marked as reached out.

    `is_new` is False if the lead was marked before this call. `following` is the lead that followed
    it in the list before the mark.
    """

    lead: Lead
    is_new: bool
    following: uuid.UUID | None


def change_status(
    lead_id: uuid.UUID, by: User, status: LeadStatus, versions: Collection[str] | None
) -> Lead:
    """Set the status of a lead if the lead still has one of these versions; None accepts any.

    Raises Conflict unless the new status is REACHED_OUT, and VERSION_STALE if the lead has changed.
    """
    if status != LeadStatus.REACHED_OUT:
        raise Conflict(Code.STATUS_TRANSITION)
    expected = None
    if versions is not None:
        seen = read(lead_id)
        if seen.version not in versions:
            raise LeadappError(Code.VERSION_STALE)
        expected = seen.submission_count
    return mark_reached_out(lead_id, by, expected).lead


def mark_reached_out(
    lead_id: uuid.UUID, by: User, expected: int | None = None, listed_in: Query | None = None
) -> Marked:
    """Mark a lead as reached out. If it is marked already, keep the first mark and succeed.

    `expected` is the number of submissions that the attorney saw. Raises Conflict if another has
    arrived since. The count is a column of the lead, so a single UPDATE checks it and sets the
    mark, even while another submission arrives. `listed_in` is the list whose next lead the
    attorney wants. The mark may move the lead in this list, so the next lead is found before it.
    """
    following = None
    if listed_in:
        following = find_following(lead_id, listed_in)
    is_marked = _set_mark(lead_id, by, expected)
    if is_marked:
        record("marked", lead_id, by.id)
    db.session.commit()
    lead = read(lead_id)
    if not is_marked and lead.status == LeadStatus.PENDING:
        raise Conflict(Code.SUBMISSION_NEWER)
    return Marked(lead, is_marked, following)


def _set_mark(lead_id: uuid.UUID, by: User, expected: int | None) -> bool:
    """Mark a pending lead that has the expected number of submissions. Returns whether it did."""
    at = now()
    pending = update(Lead).where(Lead.id == lead_id)
    pending = pending.where(Lead.status == LeadStatus.PENDING)
    if expected is not None:
        pending = pending.where(Lead.submission_count == expected)
    marking = pending.values(
        status=LeadStatus.REACHED_OUT, reached_out_at=at, reached_out_by=by.id, updated_at=at
    )
    return db.session.scalar(marking.returning(Lead.id)) is not None


def undo(lead_id: uuid.UUID, by: User, version: str) -> Lead:
    """Undo the mark of this version of the lead, which becomes pending again.

    Raises Conflict if the mark is older than ten minutes or if the lead has been marked again.
    """
    marked = read(lead_id)
    if marked.version == version and _clear_mark(marked):
        record("undone", lead_id, by.id)
    db.session.commit()
    lead = read(lead_id)
    if lead.status == LeadStatus.PENDING:
        return lead
    if lead.version == version:
        raise Conflict(Code.UNDO_LATE)
    raise Conflict(Code.MARK_CHANGED)


def _clear_mark(marked: Lead) -> bool:
    """Make a lead pending if its mark is recent and unchanged. Returns whether it did."""
    at = now()
    recent = update(Lead).where(
        Lead.id == marked.id,
        Lead.updated_at == marked.updated_at,
        Lead.reached_out_at > at - UNDO_FOR,
    )
    clearing = recent.values(
        status=LeadStatus.PENDING, reached_out_at=None, reached_out_by=None, updated_at=at
    )
    return db.session.scalar(clearing.returning(Lead.id)) is not None
