"""The queue of outgoing e-mails, stored in the transaction of each submission, so none is lost.

Any number of processes may deliver. Each claims a row, commits, sends the e-mail, and closes the
row with its token. The lease is longer than a whole SMTP exchange, so no two processes send the
same e-mail. After a crash the lease expires and another process takes the row.
"""

import math
import threading
import time
import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from ..clock import now
from ..config import settings
from ..extensions import db
from ..log import logger
from ..models.leads import Submission
from ..models.letters import Letter
from . import confirmations, messages, smtp

LEASE = timedelta(minutes=5)
IDLE_SECONDS = 1.0
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
HAS_FAILED = and_(Letter.next_at.is_(None), Letter.sent_at.is_(None))


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


def deliver_next() -> bool:
    """Deliver the e-mail that has been due the longest; return False if none is due."""
    letter = _claim()
    if letter is None:
        return False
    try:
        message = messages.compose(letter)
        if message:
            smtp.send(message)
    except smtp.NotSent as failure:
        _record_failure(letter, failure)
    except Exception as error:  # one broken e-mail must not stop the others
        # The error's message may quote text from a form, so the log gets only its type.
        logger.error("e-mail %s cannot be composed: %s", letter.id, type(error).__name__)
        db.session.rollback()
        final = not isinstance(error, DBAPIError)  # the database may be available again later
        not_composed = smtp.NotSent(f"{type(error).__name__} while composing the e-mail", final)
        _record_failure(letter, not_composed)
    else:
        _close(letter, sent_at=now(), next_at=None, reason=None)
    return True


def deliver_until(stopped: threading.Event, seconds: float = math.inf) -> None:
    """Deliver due e-mails, checking every second, until `stopped` is set or `seconds` pass."""
    end = time.monotonic() + seconds
    while not stopped.is_set() and time.monotonic() < end:
        try:
            idle = not deliver_next()
        except Exception as error:  # for example, the database is down: try again
            logger.error("e-mails cannot be delivered now: %s", type(error).__name__)
            idle = True
        finally:
            db.session.remove()
        if idle:
            stopped.wait(IDLE_SECONDS)


def _claim(lease: timedelta = LEASE) -> Letter | None:
    """Claim one due e-mail for the duration of the lease, and commit the claim."""
    at = now()
    due = select(Letter.id).where(Letter.next_at <= at)
    first_due = due.order_by(Letter.next_at).limit(1)
    if db.session.scalar(first_due) is None:  # read first: an idle process needs no write lock
        db.session.rollback()
        return None
    unlocked = first_due.with_for_update(skip_locked=True)
    claim = (
        update(Letter)
        .where(Letter.id == unlocked.scalar_subquery())
        .values(next_at=at + lease)
        .values(token=uuid.uuid4())
        .values(attempts=Letter.attempts + 1)
        .returning(Letter.id)
    )
    claimed_id = db.session.scalar(claim)
    db.session.commit()
    with_lead = joinedload(Letter.submission).joinedload(Submission.lead)
    claimed = select(Letter).options(with_lead).where(Letter.id == claimed_id)
    letter = db.session.scalar(claimed)
    db.session.commit()  # no transaction stays open while the mail server responds
    return letter


def _record_failure(letter: Letter, failure: smtp.NotSent) -> None:
    """Store the reason, and the time of the next attempt unless another attempt is useless."""
    delay = LATER
    if letter.attempts <= len(DELAYS):
        delay = DELAYS[letter.attempts - 1]
    next_attempt = now() + delay
    give_up = failure.final or next_attempt > letter.created_at + GIVE_UP_AFTER
    next_at = None if give_up else next_attempt
    _close(letter, next_at=next_at, reason=str(failure)[:REASON_MAX])


def _close(letter: Letter, **values: Any) -> None:
    """Store and log the outcome; the row changes only if it still has this process's token."""
    claimed = update(Letter).where(Letter.id == letter.id)
    claimed = claimed.where(Letter.token == letter.token)
    db.session.execute(claimed.values(token=None, **values))
    db.session.commit()
    if values.get("sent_at"):
        outcome = "sent"
    elif values["next_at"]:
        outcome = "waits"
    else:
        outcome = "failed"
    facts = {"letter": letter.id, "attempt": letter.attempts, "outcome": outcome}
    logger.info("letter", extra={"facts": facts})
