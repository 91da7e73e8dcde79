"""A lead is marked as reached out, once; for ten minutes that can be taken back."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import update

from ..errors import Conflict, VersionStale
from ..extensions import db
from ..models import Lead, LeadStatus, User
from ..wording import now
from .reading import happened, read

UNDO_FOR = timedelta(minutes=10)


class Marked(NamedTuple):
    """A lead that has been reached out to, and whether this was the time."""

    lead: Lead
    now: bool


def check_transition(status: LeadStatus) -> None:
    """Refuse every way a status cannot move."""
    if status != LeadStatus.REACHED_OUT:
        raise Conflict("status_transition")


def seen_as(lead_id: uuid.UUID, is_seen: Callable[[str], bool]) -> int:
    """Tell how many submissions a client saw that knows this version of the lead, or raise VersionStale."""
    lead = read(lead_id)
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
        happened("marked", lead_id, by)
    db.session.commit()
    lead = read(lead_id)
    if not marked and lead.status == LeadStatus.PENDING:
        raise Conflict("submission_newer")
    return Marked(lead, marked)


def undo(lead_id: uuid.UUID, by: User, version: str) -> Lead:
    """Take the mark of this version of the lead back: the lead waits as before.

    A mark older than ten minutes raises Conflict, and so does one that somebody has set meanwhile.
    """
    at, lead = now(), read(lead_id)
    same = update(Lead).where(Lead.id == lead_id, Lead.updated_at == lead.updated_at)
    undoing = same.where(Lead.reached_out_at > at - UNDO_FOR).values(
        status=LeadStatus.PENDING, reached_out_at=None, reached_out_by=None, updated_at=at
    )
    if lead.version == version and db.session.scalar(undoing.returning(Lead.id)):
        happened("undone", lead_id, by)
    db.session.commit()
    lead = read(lead_id)
    if lead.status != LeadStatus.PENDING:
        raise Conflict("undo_late" if lead.version == version else "version_stale")
    return lead
