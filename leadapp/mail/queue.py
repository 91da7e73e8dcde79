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

from sqlalchemy import case, delete, func, insert, select, update
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
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
LATER = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=5)

# Built once, because each submission and each view of the list runs one of these statements.
INSERT_LETTER = insert(Letter)
OLDEST = func.min(
    case((Letter.next_at.is_not(None), Letter.created_at)), type_=Letter.created_at.type
)
COUNT_UNSENT = select(func.count(Letter.next_at), func.count(), OLDEST).where(
    Letter.sent_at.is_(None)
)


class QueueState(NamedTuple):
    """The numbers of waiting and failed e-mails, and the age of the oldest waiting one."""

    waiting: int
    failed: int
    oldest_waiting: timedelta | None


def enqueue(submission: Submission, mailbox: str, network: str) -> None:
    """Queue the confirmation and a notice to each attorney, inside the caller's transaction.

    The limits on confirmations count per `mailbox` and per `network` (see confirmations.due).
    """
    at = submission.created_at
    counted = network if settings["RATELIMIT_ENABLED"] else None
    rows = []
    if due := confirmations.due_at(mailbox, counted, at):
        confirmation = _row("confirmation", submission.email, submission.id, due)
        confirmation["mailbox"] = mailbox
        confirmation["network"] = counted
        rows.append(confirmation)
    rows += [_row("notice", to, submission.id, at) for to in settings["ATTORNEY_EMAIL"]]
    _insert(rows)


def enqueue_for_firm(kind: str, submission_id: uuid.UUID, at: datetime) -> None:
    """Queue an e-mail to each attorney, inside the caller's transaction."""
    _insert([_row(kind, recipient, submission_id, at) for recipient in settings["ATTORNEY_EMAIL"]])


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

    Returns False if the e-mail still waits or no longer exists. A failed row is deleted first: of
    two simultaneous requests, only the one that deletes the row queues the e-mail again.
    """
    parts = (Letter.kind, Letter.submission_id, Letter.recipient, Letter.mailbox)
    failed = delete(Letter).where(
        Letter.id == letter_id, Letter.next_at.is_(None), Letter.sent_at.is_(None)
    )
    sent = select(*parts).where(Letter.id == letter_id, Letter.sent_at.is_not(None))
    letter = db.session.execute(failed.returning(*parts)).first()
    letter = letter or db.session.execute(sent).first()
    if letter is None:
        return False
    row = _row(letter.kind, letter.recipient, letter.submission_id, now())
    row["mailbox"] = letter.mailbox
    _insert([row])
    return True


def retry_failed() -> int:
    """Queue every failed e-mail again, and return how many were queued."""
    failed = db.session.scalars(
        select(Letter.id).where(Letter.next_at.is_(None), Letter.sent_at.is_(None))
    ).all()
    again = sum(send_again(letter_id) for letter_id in failed)
    db.session.commit()
    return again


def read_state() -> QueueState:
    """Count the waiting and the failed e-mails, and return the age of the oldest waiting one."""
    waiting, all_, since = db.session.connection().execute(COUNT_UNSENT).one()
    # A confirmation over the limit is created with a time in the future: its age counts as zero.
    oldest = max(now() - since, timedelta()) if since else None
    return QueueState(waiting, all_ - waiting, oldest)


def deliver_next() -> bool:
    """Deliver the e-mail that has been due the longest; return False if none is due."""
    letter = _claim()
    if letter is None:
        return False
    try:
        if message := messages.compose(letter):
            smtp.send(message)
    except smtp.NotSent as failure:
        _close(letter, **_after(letter, failure))
    except Exception as error:  # one broken e-mail must not stop the others
        # The error's message may quote text from a form, so the log gets only its type.
        logger.error("letter %s cannot be written: %s", letter.id, type(error).__name__)
        db.session.rollback()
        final = not isinstance(error, DBAPIError)  # the database may be available again later
        unwritten = smtp.NotSent(f"{type(error).__name__} while composing the e-mail", final)
        _close(letter, **_after(letter, unwritten))
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
            logger.error("letters wait: %s", type(error).__name__)
            idle = True
        finally:
            db.session.remove()
        if idle:
            stopped.wait(IDLE_SECONDS)


def _claim(lease: timedelta = LEASE) -> Letter | None:
    """Claim one due e-mail for the duration of the lease, and commit the claim."""
    at = now()
    due = select(Letter.id).where(Letter.next_at <= at).order_by(Letter.next_at).limit(1)
    if db.session.scalar(due) is None:  # read first: an idle process needs no write lock
        db.session.rollback()
        return None
    taken = db.session.scalar(
        update(Letter)
        .where(Letter.id == due.with_for_update(skip_locked=True).scalar_subquery())
        .values(next_at=at + lease, token=uuid.uuid4(), attempts=Letter.attempts + 1)
        .returning(Letter.id)
    )
    db.session.commit()
    journey = joinedload(Letter.submission).joinedload(Submission.lead)
    letter = db.session.scalar(select(Letter).options(journey).where(Letter.id == taken))
    db.session.commit()  # no transaction stays open while the mail server responds
    return letter


def _after(letter: Letter, failure: smtp.NotSent) -> dict[str, Any]:
    """Return the reason and the time of the next attempt, which is None if the e-mail failed."""
    delay = DELAYS[letter.attempts - 1] if letter.attempts <= len(DELAYS) else LATER
    too_old = now() + delay > letter.created_at + GIVE_UP_AFTER
    return {
        "next_at": None if failure.final or too_old else now() + delay,
        "reason": str(failure)[:500],
    }


def _close(letter: Letter, **values: Any) -> None:
    """Store and log the outcome; the row changes only if it still has this process's token."""
    mine = update(Letter).where(Letter.id == letter.id, Letter.token == letter.token)
    db.session.execute(mine.values(token=None, **values))
    db.session.commit()
    outcome = "sent" if values.get("sent_at") else "waits" if values["next_at"] else "failed"
    logger.info(
        "letter",
        extra={"facts": {"letter": letter.id, "attempt": letter.attempts, "outcome": outcome}},
    )
