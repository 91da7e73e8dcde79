"""Find the leads that an attorney should look at, and count new submissions."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, func, select

from ..extensions import db
from ..mail import queue
from ..models.leads import HAS_ASKED, Lead, Submission
from ..models.letters import Letter

NAMED = 3  # a banner names at most this many leads

# Composed once, since composing a statement costs more than running it (decision 5).
FAILED = select(Submission.lead_id).join(Letter).where(queue.HAS_FAILED)
NAMES = select(Lead.id, Lead.reference).limit(NAMED)
WITH_FAILED = NAMES.where(Lead.id.in_(FAILED))
ASKING = NAMES.where(HAS_ASKED).order_by(Lead.erasure_asked_at)


class Attention(NamedTuple):
    """The state of the e-mail queue, and leads that an attorney should look at.

    `failed` has leads with a failed e-mail, `asking` those with an erasure request. Each row is the
    id and the reference of a lead.
    """

    letters: queue.QueueState
    failed: Sequence[Row[uuid.UUID, str]]
    asking: Sequence[Row[uuid.UUID, str]]


def read_attention() -> Attention:
    """Return the state of the e-mail queue, failed e-mails and erasure requests."""
    letters = queue.read_state()
    connection = db.session.connection()
    failed: Sequence[Row[uuid.UUID, str]] = ()
    if letters.failed:
        failed = connection.execute(WITH_FAILED).all()
    asking = connection.execute(ASKING).all()
    return Attention(letters, failed, asking)


def arrived_since(moment: datetime) -> int:
    """Count the submissions that arrived after a moment."""
    counting = select(func.count()).select_from(Submission)
    return db.session.scalar(counting.where(Submission.created_at > moment)) or 0
