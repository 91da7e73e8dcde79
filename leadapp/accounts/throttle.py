"""Limits on sign-in attempts, counted in the database for all processes."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from .. import tokens
from ..clock import now
from ..codes import Code
from ..errors import LeadappError
from ..extensions import db
from ..formatting import span
from ..models.accounts import KNOWN_FOR, FailedNetwork, FailedSignIns, KnownNetwork
from ..network import network_key

LIMIT, WINDOW = 10, timedelta(minutes=15)
NETWORK_LIMIT = 100
ANY_ADDRESS = ""  # in KnownNetwork; a digest is never empty


def admit(who: str, address: str) -> None:
    """Raise TooOften if NETWORK_LIMIT sign-ins from this network failed in WINDOW, under any names.

    A user with a recent sign-in from this network (KNOWN_FOR) is exempt, so a visitor in the firm's
    network cannot lock out an attorney. An unknown name is never exempt: it gets the same response
    as a user without a sign-in from this network.
    """
    at, key = now(), _key(who, address)
    failed = select(FailedNetwork.times).where(FailedNetwork.address == key["address"])
    recent = _recent(db.session.scalar(failed) or [], at)
    if len(recent) < NETWORK_LIMIT:
        return
    known = select(KnownNetwork.last_at).where(
        KnownNetwork.who == key["who"],
        KnownNetwork.address.in_([key["address"], ANY_ADDRESS]),
        KnownNetwork.last_at > at - KNOWN_FOR,
    )
    if db.session.scalars(known).first() is None:
        raise _too_often(recent, NETWORK_LIMIT, at)


def record_attempt(who: str, address: str) -> None:
    """Record an attempt as failed before the password is checked, or raise TooOften.

    The row is locked until the attempt is recorded, so all processes share one LIMIT. After a
    successful sign-in, `forget` deletes the record.
    """
    key, at = _key(who, address), now()
    recent = _recent(_locked_times(FailedSignIns, key, at), at)
    if len(recent) >= LIMIT:
        db.session.rollback()
        raise _too_often(recent, LIMIT, at)
    _write_times(FailedSignIns, key, recent, at)


def record_failure_of_network(address: str) -> None:
    """Record that a sign-in from a network address has failed."""
    key, at = _key(None, address), now()
    recent = _recent(_locked_times(FailedNetwork, key, at), at)
    # Keep at most NETWORK_LIMIT times in the row, including this failure.
    _write_times(FailedNetwork, key, recent[1 - NETWORK_LIMIT :], at)


def remember_network(who: str, address: str) -> None:
    """Record that a user has signed in from a network address, inside the caller's transaction."""
    _know(_key(who, address))


def clear_attempts(who: str, address: str) -> None:
    """Delete a user's failures from one network address, inside the caller's transaction."""
    db.session.execute(delete(FailedSignIns).filter_by(**_key(who, address)))


def allow_again(who: str) -> None:
    """Allow a user to sign in again from any network address, inside the caller's transaction."""
    db.session.execute(delete(FailedSignIns).filter_by(**_key(who)))
    _know({**_key(who), "address": ANY_ADDRESS})


def forget_user(who: str) -> None:
    """Delete all records of a user's sign-ins, inside the caller's transaction."""
    for table in (FailedSignIns, KnownNetwork):
        db.session.execute(delete(table).filter_by(**_key(who)))


def _know(key: dict[str, str]) -> None:
    row = insert(KnownNetwork).values(**key, last_at=now())
    again = row.on_conflict_do_update(index_elements=[*key], set_={"last_at": row.excluded.last_at})
    db.session.execute(again)


def _locked_times(table: Any, key: dict[str, str], at: datetime) -> list[float]:
    """Return the times in a row; inserts the row if missing, and locks it until the commit."""
    row = insert(table).values(**key, times=[], last_at=at)
    locked = row.on_conflict_do_update(index_elements=[*key], set_={"address": key["address"]})
    times: list[float] = db.session.execute(locked.returning(table.times)).scalar_one()
    return times


def _write_times(table: Any, key: dict[str, str], recent: list[float], at: datetime) -> None:
    mine = update(table).filter_by(**key)
    db.session.execute(mine.values(times=[*recent, at.timestamp()], last_at=at))
    db.session.commit()


def _recent(times: Sequence[float], at: datetime) -> list[float]:
    return [time for time in times if time > (at - WINDOW).timestamp()]


def _too_often(recent: list[float], limit: int, at: datetime) -> LeadappError:
    ends = sorted(recent)[-limit] + WINDOW.total_seconds()
    seconds = math.ceil(ends - at.timestamp())
    wait = span(timedelta(minutes=math.ceil(seconds / 60)))
    return LeadappError(Code.SIGN_IN_THROTTLED, retry_after=seconds, wait=wait)


def _key(who: str | None, address: str | None = None) -> dict[str, str]:
    """Return the key of one row, or of all rows of a user, as keyed hashes."""
    key = {}
    if who is not None:
        key["who"] = tokens.digest("who", who)
    if address is not None:
        key["address"] = network_key("sign-in", address)
    return key
