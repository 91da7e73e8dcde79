"""How often a password may be tried, counted in the database for all processes."""

import math
from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert  # compiles for SQLite too

from .. import tokens
from ..errors import TooOften
from ..extensions import db
from ..models import FailedSignIns
from ..network import network_key
from ..wording import now, span

LIMIT, WINDOW = 10, timedelta(minutes=15)


def count(who: str, address: str) -> None:
    """Write a try down as failed before the password is looked at, or raise TooOften.

    The row stays locked until then, so any number of processes share the LIMIT; `forget` takes back what went well.
    """
    key, at = _key(who, address), now()
    row = insert(FailedSignIns).values(**key, times=[], last_at=at)
    locked = row.on_conflict_do_update(index_elements=[*key], set_={"who": key["who"]})
    times = db.session.execute(locked.returning(FailedSignIns.times)).scalar_one()
    recent = [time for time in times if time > (at - WINDOW).timestamp()]
    if len(recent) >= LIMIT:
        db.session.rollback()
        seconds = math.ceil(min(recent) + WINDOW.total_seconds() - at.timestamp())
        wait = span(timedelta(minutes=math.ceil(seconds / 60)))
        raise TooOften("sign_in_throttled", retry_after=seconds, wait=wait)
    mine = update(FailedSignIns).filter_by(**key)
    db.session.execute(mine.values(times=[*recent, at.timestamp()], last_at=at))
    db.session.commit()


def forget(who: str, address: str | None = None) -> None:
    """Let somebody try again, from one network address or from any, inside the caller's transaction."""
    db.session.execute(delete(FailedSignIns).filter_by(**_key(who, address)))


def _key(who: str, address: str | None) -> dict[str, str]:
    """Return the key of one row of failed sign-ins, or of all rows of a user, as keyed hashes."""
    key = {"who": tokens.digest("who", who)}
    if address is not None:
        key["address"] = network_key(address)
    return key
