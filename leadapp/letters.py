"""Letters we owe: rows written with the submission are the queue, so none is lost and any number may deliver.

A deliverer claims one row at a time, commits, sends, and closes it with its token. A lease longer than a whole SMTP
exchange keeps two from sending the same letter; after a crash the lease runs out and another takes over.
"""

import math
import threading
import time
import uuid
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask_mail import Message
from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from . import confirmations, mail, tokens
from .config import current
from .extensions import db
from .log import logger
from .models import Letter, Submission, User
from .wording import now

LEASE = timedelta(minutes=5)
IDLE_SECONDS = 1.0
# After each of the first attempts, then every six hours until the letter is five days old.
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
LATER = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=5)

# Composed once, for the busy paths: a submission, and a look at the list.
OWE = insert(Letter)
OLDEST = func.min(
    case((Letter.next_at.is_not(None), Letter.created_at)), type_=Letter.created_at.type
)
UNSENT = select(func.count(Letter.next_at), func.count(), OLDEST).where(Letter.sent_at.is_(None))


class Standing(NamedTuple):
    """How the letters stand."""

    waiting: int
    failed: int
    oldest_waiting: timedelta | None


def owe(submission: Submission, mailbox: str, network: str) -> None:
    """Write down, inside the caller's transaction, the confirmation and a notice to each attorney.

    `mailbox` and `network` say whose confirmations are limited together (see confirmations.due).
    """
    at = submission.created_at
    counted = network if current["RATELIMIT_ENABLED"] else None
    rows = []
    if due := confirmations.due(mailbox, counted, at):
        confirmation = _row("confirmation", submission.email, submission.id, due)
        confirmation["mailbox"] = mailbox
        confirmation["network"] = counted
        rows.append(confirmation)
    rows += [_row("notice", to, submission.id, at) for to in current["ATTORNEY_EMAIL"]]
    _add(rows)


def owe_firm(kind: str, submission_id: uuid.UUID, at: datetime) -> None:
    """Write down a letter to each attorney, inside the caller's transaction."""
    _add([_row(kind, recipient, submission_id, at) for recipient in current["ATTORNEY_EMAIL"]])


def owe_user(kind: str, recipient: str, at: datetime) -> None:
    """Queue an e-mail to a user about their account, inside the caller's transaction."""
    _add([_row(kind, recipient, None, at)])


def _row(
    kind: str, recipient: str, submission_id: uuid.UUID | None, at: datetime
) -> dict[str, Any]:
    """Return the columns of a letter that is due at this time."""
    return {
        "kind": kind,
        "recipient": recipient,
        "submission_id": submission_id,
        "created_at": at,
        "next_at": at,
        "mailbox": None,
        "network": None,
    }


def _add(rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.connection().execute(OWE, rows)


def send_again(letter_id: uuid.UUID) -> bool:
    """Owe a letter that was sent or has failed once more, under an id of its own; False if it waits or is gone.

    Taking a failed one away decides who sends it again, should two ask at the same instant.
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
    _add([row])
    return True


def retry_failed() -> int:
    """Owe every letter that has failed once more; tell how many."""
    failed = db.session.scalars(
        select(Letter.id).where(Letter.next_at.is_(None), Letter.sent_at.is_(None))
    ).all()
    again = sum(send_again(letter_id) for letter_id in failed)
    db.session.commit()
    return again


def standing() -> Standing:
    """Count the letters that wait and those that have failed, and tell since when the oldest waits."""
    waiting, all_, since = db.session.connection().execute(UNSENT).one()
    # Letters that wait for a later hour are due in the future, and are not late.
    oldest = max(now() - since, timedelta()) if since else None
    return Standing(waiting, all_ - waiting, oldest)


def deliver_next() -> bool:
    """Deliver the letter that waits longest; False if none is due."""
    letter = _claim()
    if letter is None:
        return False
    try:
        if message := _write(letter):
            mail.send(message)
    except mail.NotSent as failure:
        _close(letter, **_after(letter, failure))
    except Exception as error:  # a letter that cannot be built may not stop the others
        # Its own words may hold what somebody typed, so only its kind is told.
        logger.error("letter %s cannot be written: %s", letter.id, type(error).__name__)
        db.session.rollback()
        final = not isinstance(error, DBAPIError)  # the database may be back the next time
        unwritten = mail.NotSent(f"{type(error).__name__} while writing it", final)
        _close(letter, **_after(letter, unwritten))
    else:
        _close(letter, sent_at=now(), next_at=None, reason=None)
    return True


def deliver_until(stopped: threading.Event, seconds: float = math.inf) -> None:
    """Deliver what is due, then look again every second, until `stopped` is set or the seconds are over."""
    end = time.monotonic() + seconds
    while not stopped.is_set() and time.monotonic() < end:
        try:
            idle = not deliver_next()
        except Exception as error:  # the database is away, or worse: the next turn may do better
            logger.error("letters wait: %s", type(error).__name__)
            idle = True
        finally:
            db.session.remove()
        if idle:
            stopped.wait(IDLE_SECONDS)


def _claim(lease: timedelta = LEASE) -> Letter | None:
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


def _write(letter: Letter) -> Message | None:
    """Write the letter in the words of its kind; None if nobody is to get it, which ends it like a sent one."""
    if (sent := letter.submission) is None:
        return _write_to_user(letter)
    reference = sent.lead.reference
    subject = {
        "confirmation": f"We have your details ({reference})",
        "notice": f"New lead: {sent.first_name} {sent.last_name} ({reference})",
        "erasure": f"Erasure requested: {sent.first_name} {sent.last_name} ({reference})",
    }[letter.kind]
    reply_to: str | None = sent.email
    receipt_url = None
    if letter.kind == "confirmation":
        reply_to = next(iter(current["ATTORNEY_EMAIL"]), None)
        receipt_url = f"{current['BASE_URL']}/receipt/{tokens.page('receipt', sent.id)}"
    facts = {"submission": sent, "receipt_url": receipt_url}
    return mail.compose(letter.kind, subject, letter.recipient, str(letter.id), reply_to, **facts)


def _write_to_user(letter: Letter) -> Message | None:
    """Write about an account, if an active user has this address: a link to a new password, or a warning."""
    user = db.session.scalar(select(User).where(User.email_key == letter.recipient, User.is_active))
    db.session.commit()  # nothing is held open while the mail server thinks
    if user is None:
        return None
    if letter.kind == "registration":
        subject = "Your e-mail address was used to ask for an account"
        facts = {"username": user.username, "link": f"{current['BASE_URL']}/auth/login"}
        return mail.compose("registration", subject, user.email, str(letter.id), **facts)
    link = f"{current['BASE_URL']}/auth/reset/{tokens.reset(user.id, user.hashed_password)}"
    return mail.compose(
        "reset", "Set a new password", user.email, str(letter.id), username=user.username, link=link
    )


def _after(letter: Letter, failure: mail.NotSent) -> dict[str, Any]:
    """Tell what becomes of a letter that did not leave: when it is tried again, or that it has failed."""
    delay = DELAYS[letter.attempts - 1] if letter.attempts <= len(DELAYS) else LATER
    too_old = now() + delay > letter.created_at + GIVE_UP_AFTER
    return {
        "next_at": None if failure.final or too_old else now() + delay,
        "reason": str(failure)[:500],
    }


def _close(letter: Letter, **values: Any) -> None:
    """Write down the outcome, if the letter is still ours."""
    mine = update(Letter).where(Letter.id == letter.id, Letter.token == letter.token)
    db.session.execute(mine.values(token=None, **values))
    db.session.commit()
    outcome = "sent" if values.get("sent_at") else "waits" if values["next_at"] else "failed"
    logger.info(
        "letter",
        extra={"facts": {"letter": letter.id, "attempt": letter.attempts, "outcome": outcome}},
    )
