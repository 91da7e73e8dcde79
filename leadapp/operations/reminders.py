"""Reminders about waiting leads."""

import uuid
from datetime import timedelta

from sqlalchemy import func, select

from ..clock import now
from ..config import settings
from ..extensions import db
from ..mail import messages, smtp
from ..models.leads import Lead, LeadStatus

REMINDED = 50


def remind(waited: timedelta) -> int:
    """E-mail each attorney one digest of the leads that have waited this long; return how many.

    Raises NotSent after the last attorney if any of the e-mails failed.
    """
    waiting = (Lead.status == LeadStatus.PENDING, Lead.pending_since < now() - waited)
    total = db.session.scalar(select(func.count()).select_from(Lead).where(*waiting)) or 0
    leads = db.session.scalars(
        select(Lead).where(*waiting).order_by(Lead.pending_since, Lead.id).limit(REMINDED)
    ).all()
    subject, failures = "1 lead is waiting" if total == 1 else f"{total} leads are waiting", []
    for attorney in settings["ATTORNEY_EMAIL"] if total else []:
        try:
            smtp.send(
                messages.build(
                    "reminder", subject, attorney, str(uuid.uuid4()), leads=leads, total=total
                )
            )
        except smtp.NotSent as failure:  # still remind the other attorneys
            failures.append(f"{attorney}: {failure}")
    if failures:
        raise smtp.NotSent("; ".join(failures))
    return total
