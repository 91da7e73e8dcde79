"""Reminders about waiting leads."""

import uuid
from datetime import timedelta

from sqlalchemy import and_, func, select

from ..clock import now
from ..config import settings
from ..extensions import db
from ..mail import connections, messages
from ..mail.replies import NotSent
from ..models.leads import Lead, LeadStatus

LISTED_MAX = 50


def remind(waited: timedelta) -> int:
    """E-mail each attorney one digest of the leads that have waited this long; return how many.

    Raises NotSent after the last attorney if any of the e-mails failed.
    """
    is_waiting = and_(
        Lead.status == LeadStatus.PENDING,
        Lead.pending_since < now() - waited,
    )
    count = select(func.count()).select_from(Lead).where(is_waiting)
    total = db.session.scalar(count) or 0
    if total == 0:
        return 0
    longest_first = select(Lead).order_by(Lead.pending_since, Lead.id)
    listed = longest_first.where(is_waiting).limit(LISTED_MAX)
    leads = db.session.scalars(listed).all()
    summary = "1 lead is waiting" if total == 1 else f"{total} leads are waiting"
    failures = []
    for attorney in settings.ATTORNEY_EMAIL:
        try:
            message = messages.build(
                "reminder",
                attorney,
                letter_id=str(uuid.uuid4()),
                leads=leads,
                total=total,
                summary=summary,
            )
            connections.send(message)
        except NotSent as failure:  # still remind the other attorneys
            failures.append(f"{attorney}: {failure}")
    if failures:
        raise NotSent("; ".join(failures))
    return total
