"""When a confirmation is due, so that nobody floods a mailbox or mails many people by the form."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, desc, func, select

from .extensions import db, lock_until_commit
from .models import Letter

PER_HOUR = 5
RECIPIENTS_PER_HOUR = 30
HOUR = timedelta(hours=1)

# Composed once, since each submission runs them. Only confirmations have a mailbox and a network.
COUNT_OF_MAILBOX = select(func.count()).where(
    Letter.mailbox == bindparam("mailbox"),
    Letter.created_at > bindparam("after"),
    Letter.created_at < bindparam("before"),
)
# The network's other recipients, by the time of their latest confirmation: the thirtieth time.
THIRTIETH = (
    select(func.max(Letter.created_at, type_=Letter.created_at.type).label("at"))
    .where(Letter.network == bindparam("network"), Letter.mailbox != bindparam("mailbox"))
    .where(Letter.created_at > bindparam("after"))
    .group_by(Letter.mailbox)
    .order_by(desc("at"))
    .offset(RECIPIENTS_PER_HOUR - 1)
    .limit(1)
)


def due(mailbox: str, network: str | None, at: datetime) -> datetime | None:
    """Return when the confirmation of a submission is due, or None if the mailbox gets no more.

    A network mails RECIPIENTS_PER_HOUR people in any hour; further people wait for a later hour. A
    mailbox gets PER_HOUR confirmations in any hour, and none above that. New and known people cost
    the same queries, so that the time of the answer reveals nothing.
    """
    lock_until_commit(*filter(None, (network, mailbox)))
    turn = _turn(mailbox, network, at) if network else at
    hours = {"mailbox": mailbox, "after": turn - HOUR, "before": turn + HOUR}
    count = db.session.connection().scalar(COUNT_OF_MAILBOX, hours) or 0
    return turn if count < PER_HOUR else None


def _turn(mailbox: str, network: str, at: datetime) -> datetime:
    """Return the first time at which the network mails fewer than RECIPIENTS_PER_HOUR others."""
    facts = {"mailbox": mailbox, "network": network, "after": at - HOUR}
    thirtieth = db.session.connection().scalar(THIRTIETH, facts)
    return thirtieth + HOUR if thirtieth else at
