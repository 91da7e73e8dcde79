"""Letters we owe: rows written with the submission are the queue, so none is lost and any number may deliver.

A deliverer claims one row at a time, commits, sends, and closes it with its token. A lease longer than a whole SMTP
exchange keeps two from sending the same letter; after a crash the lease runs out and another takes over.
"""

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

from flask_mail import Message
from sqlalchemy import insert, select, update
from sqlalchemy.orm import joinedload

from . import mail
from .config import current
from .extensions import db
from .log import logger
from .models import Letter, Submission
from .wording import now

LEASE = timedelta(minutes=5)
IDLE_SECONDS = 1.0
# PRODUCT M2: after each of the first attempts, then every six hours until the letter is five days old.
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
LATER = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=5)


def owe(submission_id: uuid.UUID, prospect: str, at: datetime) -> None:
    """Write down, inside the caller's transaction, the confirmation and a notice to each attorney."""
    owed = [("confirmation", prospect), *(("notice", attorney) for attorney in current["ATTORNEY_EMAIL"])]
    rows = [
        {"submission_id": submission_id, "kind": kind, "recipient": recipient, "created_at": at, "next_at": at}
        for kind, recipient in owed
    ]
    db.session.execute(insert(Letter), rows)


def deliver_next(lease: timedelta = LEASE) -> bool:
    """Deliver the letter that waits longest; False if none is due."""
    letter = _claim(lease)
    if letter is None:
        return False
    try:
        mail.send(_write(letter))
    except mail.NotSent as failure:
        _close(letter, **_after(letter, failure))
    except Exception as error:  # a letter that cannot be built may not stop the others
        # Its own words may hold what somebody typed, so only its kind is told.
        logger.error("letter %s cannot be written: %s", letter.id, type(error).__name__)
        _close(letter, **_after(letter, mail.NotSent(f"{type(error).__name__} while writing it", final=True)))
    else:
        _close(letter, sent_at=now(), next_at=None, reason=None)
    return True


def deliver_until(stopped: threading.Event, lease: timedelta = LEASE) -> None:
    """Deliver what is due, then look again every second, until `stopped` is set."""
    while not stopped.is_set():
        try:
            idle = not deliver_next(lease)
        except Exception as error:  # the database is away, or worse: the next turn may do better
            logger.error("letters wait: %s", type(error).__name__)
            idle = True
        finally:
            db.session.remove()
        if idle:
            stopped.wait(IDLE_SECONDS)


def _claim(lease: timedelta) -> Letter | None:
    """Take one due letter for the time of the lease, and commit that."""
    at = now()
    due = select(Letter.id).where(Letter.next_at <= at).order_by(Letter.next_at).limit(1)
    if db.session.scalar(due) is None:  # a plain read: an idle deliverer takes no write lock
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
    db.session.commit()  # nothing is held open while the mail server thinks
    return letter


def _write(letter: Letter) -> Message:
    """Write the letter in the words of its kind."""
    submission = letter.submission
    subject = {
        "confirmation": f"We have your details ({submission.lead.reference})",
        "notice": f"New lead: {submission.first_name} {submission.last_name} ({submission.lead.reference})",
    }[letter.kind]
    reply_to = submission.email if letter.kind == "notice" else next(iter(current["ATTORNEY_EMAIL"]), None)
    return mail.compose(letter.kind, subject, letter.recipient, str(letter.id), reply_to, submission=submission)


def _after(letter: Letter, failure: mail.NotSent) -> dict[str, Any]:
    """Tell what becomes of a letter that did not leave: when it is tried again, or that it has failed."""
    delay = DELAYS[letter.attempts - 1] if letter.attempts <= len(DELAYS) else LATER
    too_old = now() + delay > letter.created_at + GIVE_UP_AFTER
    return {"next_at": None if failure.final or too_old else now() + delay, "reason": str(failure)[:500]}


def _close(letter: Letter, **values: Any) -> None:
    """Write down the outcome, if the letter is still ours."""
    mine = update(Letter).where(Letter.id == letter.id, Letter.token == letter.token)
    db.session.execute(mine.values(token=None, **values))
    db.session.commit()
    outcome = "sent" if values.get("sent_at") else "waits" if values["next_at"] else "failed"
    logger.info("letter", extra={"facts": {"letter": letter.id, "attempt": letter.attempts, "outcome": outcome}})
