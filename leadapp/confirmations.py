"""When a confirmation may leave: the form is no way to flood a mailbox or to mail many people."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, desc, func, select

from .extensions import db, lock_until_commit
from .models import Letter

PER_HOUR = 5
RECIPIENTS_PER_HOUR = 30
HOUR = timedelta(hours=1)

# Composed once, for the busy path. Only confirmations have a mailbox and a network.
COUNT_OF_MAILBOX = select(func.count()).where(
    Letter.mailbox == bindparam("mailbox"),
    Letter.created_at > bindparam("after"),
    Letter.created_at < bindparam("before"),
)
# When the thirtieth recipient from the end gets a confirmation, among the others of this network.
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
    """Return when a confirmation for a submission of this time is due, or None if there is to be none.

    A network mails RECIPIENTS_PER_HOUR people in any hour, and those above wait for a later one. A
    mailbox that gets PER_HOUR confirmations gets no more in that hour. New and known people cost the
    same queries, so that the answer takes the same time.
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
