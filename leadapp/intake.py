"""What a prospect does: send details and a resume, have a resume kept, see what was received."""

import hashlib
import json
import secrets
import shutil
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, NamedTuple

from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import (
    insert,
)  # compiles for SQLite too, whose upsert is the same
from sqlalchemy.orm import joinedload

from . import letters
from .errors import KeyReused, NotFound
from .extensions import db
from .models import NAME_KEY_MAX, Event, Lead, LeadStatus, Submission
from .resumes.inspect import Resume
from .rules import email_key, fold
from .storage import store
from .wording import now

ONCE_FOR = timedelta(days=1)

# Composed once, and run by the connection itself: composing them, or the session's ORM, costs several times what
# running them does (docs/performance.md).
_new = insert(Lead)
# Make a lead of a new address; a known one keeps its first names and waits again.
JOIN = _new.on_conflict_do_update(
    index_elements=["email_key"],
    set_={
        "status": LeadStatus.PENDING,
        "submission_count": Lead.submission_count + 1,
        "updated_at": _new.excluded.updated_at,
        "pending_since": case(
            (Lead.status == LeadStatus.PENDING, Lead.pending_since),
            else_=_new.excluded.pending_since,
        ),
        **dict.fromkeys(("reached_out_at", "reached_out_by", "seen_at")),
    },
).returning(Lead.id, Lead.submission_count)
SEND = insert(Submission).on_conflict_do_nothing().returning(Submission.id)
HAPPEN = insert(Event)


@dataclass(frozen=True)
class Details:
    """What a prospect sent, clean."""

    first_name: str
    last_name: str
    email: str
    resume: Resume

    def typed(self) -> dict[str, str]:
        """Give what the prospect typed, by column."""
        return {"first_name": self.first_name, "last_name": self.last_name, "email": self.email}

    def digest(self) -> str:
        """Tell contents apart: the same form sent with anything changed is a new submission."""
        content = [*self.typed().values(), self.resume.filename, self.resume.sha256]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class Submitted(NamedTuple):
    """A stored submission, and whether it was stored by an earlier sending of the same."""

    submission: Submission
    replayed: bool


def keep(resume: Resume) -> Resume:
    """Put a staged resume into storage under its final key."""
    if resume.staged is None:
        return resume
    store.keep(resume.staged, resume.key)
    return replace(resume, staged=None, kept_at=now().timestamp())


def submit(details: Details, once: str | None = None) -> Submitted:
    """Take a submission in: its file, then itself, its lead and its letters in one transaction.

    `once` names this sending for a day: the second of a name changes nothing and is answered with the first one's
    submission, or KeyReused if it has another content. A lead who is known is joined and waits again. Races are
    upserts, so two at the same instant need no lock of ours.
    """
    details = replace(details, resume=keep(details.resume))
    at, resume = now(), details.resume
    run = db.session.connection().execute
    lead_id, count = run(JOIN, new_lead(details, at)).one()
    row = (
        details.typed()
        | resume.described()
        | {"storage_key": resume.key, "once": once, "created_at": at}
    )
    row |= {
        "id": uuid.uuid4(),
        "lead_id": lead_id,
        "number": count,
        "fingerprint": details.digest(),
    }
    if (
        run(SEND, row).first() is None
    ):  # this sending, or this kept file, is already somebody's submission
        db.session.rollback()
        return _again(details, once, at)
    submission = Submission(**row)
    letters.owe(submission)
    kind = "submitted" if count == 1 else "resubmitted"
    run(HAPPEN, {"lead_id": lead_id, "kind": kind, "created_at": at})
    db.session.commit()
    return Submitted(submission, replayed=False)


def _again(details: Details, once: str | None, at: datetime) -> Submitted:
    """Answer a sending that is stored already; one whose name or file only was taken is stored after all."""
    first = db.session.scalar(select(Submission).where(Submission.once == once)) if once else None
    if first is None:
        return submit(replace(details, resume=_copy(details.resume)), once)
    if first.created_at < at - ONCE_FOR:
        db.session.execute(update(Submission).where(Submission.id == first.id).values(once=None))
        db.session.commit()
        return submit(details, once)
    if first.fingerprint != details.digest():
        raise KeyReused("idempotency_key_reused")
    return Submitted(first, replayed=True)


def receipt(submission_id: uuid.UUID) -> Submission:
    """Give a submission and its lead, for the page after sending."""
    found = (
        select(Submission)
        .options(joinedload(Submission.lead))
        .where(Submission.id == submission_id)
    )
    submission = db.session.scalar(found)
    if submission is None:
        raise NotFound("receipt_unknown")
    return submission


def ask_to_be_erased(submission: Submission) -> None:
    """Write down that somebody asks to be erased, and tell the firm, once; an attorney does it."""
    asking = update(Lead).where(Lead.id == submission.lead_id, Lead.erasure_asked_at.is_(None))
    if db.session.scalar(asking.values(erasure_asked_at=now()).returning(Lead.id)):
        letters.owe_firm("erasure", submission.id, now())
        db.session.add(Event(lead_id=submission.lead_id, kind="erasure_asked"))
    db.session.commit()


def new_lead(details: Details, at: datetime) -> dict[str, Any]:
    """Give a lead who first wrote at that time, by column."""
    first, last = details.first_name, details.last_name
    keys = {
        "email_key": email_key(details.email),
        "first_name_key": fold(f"{first} {last}")[:NAME_KEY_MAX],
        "last_name_key": fold(f"{last} {first}")[:NAME_KEY_MAX],
        "status": LeadStatus.PENDING,
    }
    return details.typed() | keys | dict.fromkeys(("created_at", "updated_at", "pending_since"), at)


def _copy(resume: Resume) -> Resume:
    """Store the bytes of a kept resume once more: a form that is corrected and sent again needs a file of its own."""
    key = secrets.token_hex(16) + PurePath(resume.key).suffix
    with store.open(resume.key) as kept, store.stage() as staged:
        shutil.copyfileobj(kept, staged)
        store.keep(staged, key)
    return replace(resume, key=key)
