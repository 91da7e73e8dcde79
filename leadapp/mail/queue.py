"""The queue of outgoing e-mails, stored in the transaction of each submission, so none is lost.

Any number of processes may deliver. Each claims rows, commits, sends the e-mails, and closes each
row with its token. The lease is longer than a whole SMTP exchange, so no two processes send the
same e-mail. After a crash the lease expires and another process takes the row.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, delete, func, insert, select, update
from sqlalchemy.orm import joinedload

from ..clock import now
from ..config import settings
from ..extensions import db
from ..log import logger
from ..models.leads import Submission
from ..models.letters import Letter
from . import confirmations
from .replies import NotSent

LEASE = timedelta(minutes=5)
# Delays after the first four attempts; then every six hours until the e-mail is five days old.
DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]
LATER = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=5)
# An e-mail that has waited longer than this is a problem, which the doctor and the dashboard show.
LATE = timedelta(minutes=30)
REASON_MAX = 500

# Built once, because each submission and each view of the list runs one of these statements.
INSERT_LETTER = insert(Letter)
CREATED_IF_WAITING = case((Letter.next_at.is_not(None), Letter.created_at))
COUNT_UNSENT = select(
    func.count(Letter.next_at),
    func.count(),
    func.min(CREATED_IF_WAITING, type_=Letter.created_at.type),
).where(Letter.sent_at.is_(None))
END_CLAIM = update(Letter).where(
    Letter.id == bindparam("held_id"), Letter.token == bindparam("held_token")
)
HAS_FAILED = and_(Letter.next_at.is_(None), Letter.sent_at.is_(None))


class Outcome(NamedTuple):
    """The outcome of an attempt; without a failure, the e-mail was sent."""

    letter: Letter
    failure: NotSent | None


class QueueState(NamedTuple):
    """The numbers of waiting and failed e-mails, and the age of the oldest waiting one."""

    waiting: int
    failed: int
    oldest_waiting: timedelta | None

    @property
    def is_late(self) -> bool:
        """Return whether an e-mail has waited longer than LATE."""
        return self.oldest_waiting is not None and self.oldest_waiting > LATE


def enqueue(submission: Submission, mailbox: str, network: str) -> None:
    """Queue the confirmation and a notice to each attorney, inside the caller's transaction.

    The limits on confirmations count per `mailbox` and per `network` (see `confirmations.due_at`).
    """
    at = submission.created_at
    counted_network = network if settings.RATELIMIT_ENABLED else None
    rows = []
    due = confirmations.due_at(mailbox, counted_network, at)
    if due:
        confirmation = _row("confirmation", submission.email, submission.id, due)
        confirmation["mailbox"] = mailbox
        confirmation["network"] = counted_network
        rows.append(confirmation)
    for attorney in settings.ATTORNEY_EMAIL:
        rows.append(_row("notice", attorney, submission.id, at))
    _insert(rows)


def enqueue_for_firm(kind: str, submission_id: uuid.UUID, at: datetime) -> None:
    """Queue an e-mail to each attorney, inside the caller's transaction."""
    attorneys = settings.ATTORNEY_EMAIL
    _insert([_row(kind, attorney, submission_id, at) for attorney in attorneys])


def enqueue_for_user(kind: str, recipient: str, at: datetime) -> None:
    """Queue an e-mail to a user about their account, inside the caller's transaction."""
    _insert([_row(kind, recipient, None, at)])


def _row(
    kind: str, recipient: str, submission_id: uuid.UUID | None, at: datetime
) -> dict[str, Any]:
    """Return the columns of an e-mail that is created and due at `at`."""
    return {
        "kind": kind,
        "recipient": recipient,
        "submission_id": submission_id,
        "created_at": at,
        "next_at": at,
        "mailbox": None,
        "network": None,
    }


def _insert(rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.connection().execute(INSERT_LETTER, rows)


def send_again(letter_id: uuid.UUID) -> bool:
    """Queue a sent or failed e-mail again, under a new id.

    Returns False if the e-mail is waiting or no longer exists. A failed row is deleted first: of
    two simultaneous requests, only the one that deletes the row queues the e-mail again.
    """
    columns = (Letter.kind, Letter.submission_id, Letter.recipient, Letter.mailbox)
    failed = delete(Letter).where(Letter.id == letter_id, HAS_FAILED)
    letter = db.session.execute(failed.returning(*columns)).first()
    if letter is None:
        sent = select(*columns).where(Letter.id == letter_id)
        letter = db.session.execute(sent.where(Letter.sent_at.is_not(None))).first()
    if letter is None:
        return False
    row = _row(letter.kind, letter.recipient, letter.submission_id, now())
    row["mailbox"] = letter.mailbox
    _insert([row])
    return True


def retry_failed() -> int:
    """Queue every failed e-mail again, and return how many were queued."""
    failed = db.session.scalars(select(Letter.id).where(HAS_FAILED)).all()
    queued = sum(send_again(letter_id) for letter_id in failed)
    db.session.commit()
    return queued


def read_state() -> QueueState:
    """Count the waiting and the failed e-mails, and return the age of the oldest waiting one."""
    waiting, unsent, oldest = db.session.connection().execute(COUNT_UNSENT).one()
    failed = unsent - waiting
    if oldest is None:
        return QueueState(waiting, failed, oldest_waiting=None)
    # A confirmation over the limit is created with a time in the future: its age counts as zero.
    age = max(now() - oldest, timedelta())
    return QueueState(waiting, failed, oldest_waiting=age)


def claim(count: int) -> list[Letter]:
    """Claim up to `count` due e-mails for the duration of the lease, and commit the claim.

    It claims those that have been due the longest. Returns them with their submissions and leads,
    in the order in which they were created.
    """
    at = now()
    due = select(Letter.id).where(Letter.next_at <= at).order_by(Letter.next_at)
    if db.session.scalar(due.limit(1)) is None:  # read first: an idle process needs no write lock
        db.session.rollback()
        return []
    # PostgreSQL might run a plain subquery several times, and so claim more than `count`.
    chosen = due.limit(count).with_for_update(skip_locked=True).cte("chosen")
    claimed = (
        update(Letter)
        .where(Letter.id.in_(select(chosen.c.id)))
        .values(next_at=at + LEASE)
        .values(token=uuid.uuid4())
        .values(attempts=Letter.attempts + 1)
        .returning(Letter.id)
    )
    ids = db.session.scalars(claimed).all()
    db.session.commit()
    with_lead = joinedload(Letter.submission).joinedload(Submission.lead)
    letters = select(Letter).options(with_lead).where(Letter.id.in_(ids))
    in_order = letters.order_by(Letter.created_at, Letter.kind)  # the confirmation comes first
    found = list(db.session.scalars(in_order))
    for letter in found:
        db.session.expunge(letter)  # a later refresh could replace the token of this claim
    db.session.commit()  # no transaction stays open while the mail server responds
    return found


def release(letters: list[Letter]) -> None:
    """End the claim of e-mails that were not tried; they are due at once."""
    rows = []
    for letter in letters:
        row = _held(letter)
        row["attempts"] = letter.attempts - 1
        row["next_at"] = now()
        rows.append(row)
    _update(rows)


def close(outcomes: list[Outcome]) -> None:
    """Store and log the outcomes; a row changes only if it still has this process's token."""
    rows = []
    for letter, failure in outcomes:
        row = _held(letter)
        row["sent_at"] = None if failure else now()
        row["next_at"] = _next_attempt(letter, failure) if failure else None
        row["reason"] = str(failure)[:REASON_MAX] if failure else None
        rows.append(row)
    _update(rows)
    for (letter, _), row in zip(outcomes, rows, strict=True):
        outcome = "failed"
        if row["sent_at"]:
            outcome = "sent"
        elif row["next_at"]:
            outcome = "waits"
        facts = {"letter": letter.id, "attempt": letter.attempts, "outcome": outcome}
        logger.info("letter", extra={"facts": facts})


def _next_attempt(letter: Letter, failure: NotSent) -> datetime | None:
    """Return the time of the next attempt, or None if another attempt is useless."""
    delay = LATER
    if letter.attempts <= len(DELAYS):
        delay = DELAYS[letter.attempts - 1]
    next_at = now() + delay
    give_up = failure.final or next_at > letter.created_at + GIVE_UP_AFTER
    return None if give_up else next_at


def _held(letter: Letter) -> dict[str, Any]:
    """Return the row's key, the token that it must still have, and the end of the claim."""
    return {"held_id": letter.id, "held_token": letter.token, "token": None}


def _update(rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.connection().execute(END_CLAIM, rows)
        db.session.commit()
