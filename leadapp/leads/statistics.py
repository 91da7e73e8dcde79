"""Figures of the last thirty days."""

import functools
import itertools
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from ..clock import now
from ..config import settings
from ..extensions import db
from ..models.leads import Lead, LeadStatus, Submission

DAYS = 30
CONTACTS = 1000  # the median covers at most this many leads, the latest ones
FRESH_SECONDS = 60


@dataclass(frozen=True, eq=False)
class Statistics:
    """The number of submissions on each day, oldest first, and the median wait for a contact.

    The wait is None if no lead was reached out to.
    """

    days: dict[date, int]
    usual_wait: timedelta | None

    @property
    def busiest(self) -> date:
        """Return the day with the most submissions; of several such days, the last."""
        return max(self.days, key=lambda day: (self.days[day], day))


def read_statistics() -> Statistics:
    """Return the figures of the last thirty days, in the firm's time zone.

    Each process caches them for a minute.
    """
    return _counted(int(time.time() // FRESH_SECONDS), str(db.engine.url))


@functools.lru_cache(maxsize=1)
def _counted(_minute: int, _database: str) -> Statistics:
    today = now().astimezone(settings["TIMEZONE"]).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    ends = [*days, today + timedelta(days=1)]
    midnights = [datetime.combine(day, datetime.min.time(), settings["TIMEZONE"]) for day in ends]
    counts = (
        select(func.count())
        .where(Submission.created_at >= start, Submission.created_at < end)
        .scalar_subquery()
        for start, end in itertools.pairwise(midnights)
    )
    reached = select(Lead.reached_out_at, Lead.pending_since).where(
        Lead.status == LeadStatus.REACHED_OUT, Lead.reached_out_at >= midnights[0]
    )
    latest = db.session.execute(reached.order_by(Lead.reached_out_at.desc()).limit(CONTACTS)).all()
    waits = sorted(at - since for at, since in latest if at)
    # The one or two waits in the middle, for the median. Importing `statistics` takes 1 MB.
    middle = waits[(len(waits) - 1) // 2 : len(waits) // 2 + 1]
    counted = db.session.execute(select(*counts)).one()
    return Statistics(
        dict(zip(days, counted, strict=True)),
        sum(middle, timedelta()) / len(middle) if middle else None,
    )
