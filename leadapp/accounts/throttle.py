"""Limits on sign-in attempts, counted in the database for all processes."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

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

LIMIT = 10
NETWORK_LIMIT = 100
WINDOW = timedelta(minutes=15)
ANY_ADDRESS = ""  # in KnownNetwork; a digest is never empty

Failures = type[FailedSignIns] | type[FailedNetwork]
Key = dict[str, str]


def admit(who: str, address: str) -> None:
    """Raise SIGN_IN_THROTTLED if NETWORK_LIMIT sign-ins from this network failed in WINDOW.

    Failures count under any name. A user with a recent sign-in from this network (KNOWN_FOR) is
    exempt, so a visitor in the firm's network cannot lock out an attorney. An unknown name is never
    exempt: it gets the same response as a user without a sign-in from this network.
    """
    at = now()
    network = _address_key(address)
    failed = select(FailedNetwork.times).where(FailedNetwork.address == network)
    recent = _recent(db.session.scalar(failed) or [], at)
    if len(recent) < NETWORK_LIMIT:
        return
    known = select(KnownNetwork.last_at).where(
        KnownNetwork.who == _who_key(who),
        KnownNetwork.address.in_([network, ANY_ADDRESS]),
        KnownNetwork.last_at > at - KNOWN_FOR,
    )
    if db.session.scalars(known).first() is None:
        raise _too_often(recent, NETWORK_LIMIT, at)


def record_attempt(who: str, address: str) -> None:
    """Record an attempt as failed before the password is checked, or raise SIGN_IN_THROTTLED.

    The row is locked until the attempt is recorded, so all processes share one LIMIT. After a
    successful sign-in, `clear_attempts` deletes the record.
    """
    key: Key = {"who": _who_key(who), "address": _address_key(address)}
    at = now()
    recent = _recent(_locked_times(FailedSignIns, key, at), at)
    if len(recent) >= LIMIT:
        db.session.rollback()
        raise _too_often(recent, LIMIT, at)
    _add_time(FailedSignIns, key, recent, at)


def record_failure_of_network(address: str) -> None:
    """Record that a sign-in from a network address has failed."""
    key: Key = {"address": _address_key(address)}
    at = now()
    recent = _recent(_locked_times(FailedNetwork, key, at), at)
    # Keep at most NETWORK_LIMIT times in the row, including this failure.
    _add_time(FailedNetwork, key, recent[1 - NETWORK_LIMIT :], at)


def remember_network(who: str, address: str) -> None:
    """Record that a user has signed in from a network address, inside the caller's transaction."""
    _know(_who_key(who), _address_key(address))


def clear_attempts(who: str, address: str) -> None:
    """Delete a user's failures from one network address, inside the caller's transaction."""
    attempts = delete(FailedSignIns).where(
        FailedSignIns.who == _who_key(who), FailedSignIns.address == _address_key(address)
    )
    db.session.execute(attempts)


def allow_again(who: str) -> None:
    """Allow a user to sign in again from any network address, inside the caller's transaction."""
    key = _who_key(who)
    db.session.execute(delete(FailedSignIns).where(FailedSignIns.who == key))
    _know(key, ANY_ADDRESS)


def forget_user(who: str) -> None:
    """Delete all records of a user's sign-ins, inside the caller's transaction."""
    key = _who_key(who)
    db.session.execute(delete(FailedSignIns).where(FailedSignIns.who == key))
    db.session.execute(delete(KnownNetwork).where(KnownNetwork.who == key))


def _know(who: str, network: str) -> None:
    known = insert(KnownNetwork).values(who=who, address=network, last_at=now())
    upsert = known.on_conflict_do_update(
        index_elements=["who", "address"], set_={"last_at": known.excluded.last_at}
    )
    db.session.execute(upsert)


def _locked_times(table: Failures, key: Key, at: datetime) -> list[float]:
    """Return the times in a row. Inserts a missing row, and locks the row until the commit."""
    row = insert(table).values(**key, times=[], last_at=at)
    # An update that changes nothing also locks the row.
    locked = row.on_conflict_do_update(
        index_elements=list(key), set_={"address": row.excluded.address}
    )
    return db.session.execute(locked.returning(table.times)).scalar_one()


def _add_time(table: Failures, key: Key, times: list[float], at: datetime) -> None:
    """Add the time of a failure to a row, and commit."""
    times.append(at.timestamp())
    row = update(table).filter_by(**key)
    db.session.execute(row.values(times=times, last_at=at))
    db.session.commit()


def _recent(times: Sequence[float], at: datetime) -> list[float]:
    start = (at - WINDOW).timestamp()
    return [time for time in times if time > start]


def _too_often(recent: list[float], limit: int, at: datetime) -> LeadappError:
    """Return the error for too many attempts; `retry_after` is the number of seconds to wait."""
    oldest_counted = sorted(recent)[-limit]
    ends = oldest_counted + WINDOW.total_seconds()
    seconds = math.ceil(ends - at.timestamp())
    wait = span(timedelta(minutes=math.ceil(seconds / 60)))
    return LeadappError(Code.SIGN_IN_THROTTLED, retry_after=seconds, wait=wait)


def _who_key(who: str) -> str:
    return tokens.digest("who", who)


def _address_key(address: str) -> str:
    return network_key("sign-in", address)
