"""Figures of the last thirty days."""

import functools
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
    minute = int(time.time() // FRESH_SECONDS)
    return _counted(minute, str(db.engine.url))


@functools.lru_cache(maxsize=1)
def _counted(_minute: int, _database: str) -> Statistics:
    """Count the figures. The arguments are only the key of the cache."""
    today = now().astimezone(settings.TIMEZONE).date()
    first = today - timedelta(days=DAYS - 1)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    waits = _latest_waits(_midnight(first))
    return Statistics(_count_by_day(days), _median(waits))


def _midnight(day: date) -> datetime:
    """Return the start of a day in the firm's time zone."""
    return datetime.combine(day, datetime.min.time(), settings.TIMEZONE)


def _count_by_day(days: list[date]) -> dict[date, int]:
    """Count the submissions of each day in one statement."""
    counts = []
    for day in days:
        received = Submission.created_at
        on_day = select(func.count()).where(
            received >= _midnight(day), received < _midnight(day + timedelta(days=1))
        )
        counts.append(on_day.scalar_subquery())
    counted = db.session.execute(select(*counts)).one()
    return dict(zip(days, counted, strict=True))


def _latest_waits(start: datetime) -> list[timedelta]:
    """Return how long the leads waited that were reached out to since `start`, latest first."""
    reached = (
        select(Lead.reached_out_at, Lead.pending_since)
        .where(Lead.status == LeadStatus.REACHED_OUT, Lead.reached_out_at >= start)
        .order_by(Lead.reached_out_at.desc())
        .limit(CONTACTS)
    )
    return [at - since for at, since in db.session.execute(reached) if at]


def _median(waits: list[timedelta]) -> timedelta | None:
    """Return the median; importing Python's module `statistics` would take 1 MB of memory."""
    if not waits:
        return None
    waits = sorted(waits)
    half = len(waits) // 2
    if len(waits) % 2:
        return waits[half]
    return (waits[half - 1] + waits[half]) / 2
