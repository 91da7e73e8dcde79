"""Limits on confirmations, so that the form cannot flood a mailbox or mail many people."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, desc, func, select

from ..extensions import db
from ..models.letters import Letter
from ..postgres import lock_until_commit

PER_HOUR = 5
RECIPIENTS_PER_HOUR = 30
HOUR = timedelta(hours=1)

# Built once, because each submission runs them. Only confirmations have a mailbox and a network.
COUNT_OF_MAILBOX = select(func.count()).where(
    Letter.mailbox == bindparam("mailbox"),
    Letter.created_at > bindparam("after"),
    Letter.created_at < bindparam("before"),
)
# Sort the network's other recipients by their latest confirmation, newest first, and take the time
# of the thirtieth.
LATEST_OF_MAILBOX = func.max(Letter.created_at, type_=Letter.created_at.type)
THIRTIETH = (
    select(LATEST_OF_MAILBOX.label("latest"))
    .where(Letter.network == bindparam("network"))
    .where(Letter.mailbox != bindparam("mailbox"))
    .where(Letter.created_at > bindparam("after"))
    .group_by(Letter.mailbox)
    .order_by(desc("latest"))
    .offset(RECIPIENTS_PER_HOUR - 1)
    .limit(1)
)


def due_at(mailbox: str, network: str | None, at: datetime) -> datetime | None:
    """Return when the confirmation of a submission is due, or None if the mailbox gets no more.

    In any hour, a network may cause e-mails to RECIPIENTS_PER_HOUR people; e-mails to further
    people are due later. In any hour, a mailbox gets at most PER_HOUR confirmations; further ones
    are dropped. New and known people cost the same queries, so the response time reveals nothing.
    """
    if network:
        lock_until_commit(db.session.connection(), network, mailbox)
        due = _turn_of_network(mailbox, network, at)
    else:
        lock_until_commit(db.session.connection(), mailbox)
        due = at
    hours = {"mailbox": mailbox, "after": due - HOUR, "before": due + HOUR}
    count = db.session.connection().scalar(COUNT_OF_MAILBOX, hours) or 0
    if count >= PER_HOUR:
        return None
    return due


def _turn_of_network(mailbox: str, network: str, at: datetime) -> datetime:
    """Return the first time, from `at` on, with fewer than RECIPIENTS_PER_HOUR other recipients."""
    last_hour = {"mailbox": mailbox, "network": network, "after": at - HOUR}
    thirtieth = db.session.connection().scalar(THIRTIETH, last_hour)
    if thirtieth is None:
        return at
    return thirtieth + HOUR
