"""The use cases of a prospect.

Prospects send their details and a resume, see the receipt and ask to be erased. A resume may be
kept while the prospect corrects the form.
"""

import hashlib
import json
import secrets
import shutil
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from . import letters, tokens
from .errors import KeyReused, NotFound
from .extensions import db
from .models.leads import NAME_KEY_MAX, ONCE_FOR, Event, Lead, LeadStatus, Submission
from .network import network_key
from .resumes.inspect import Resume
from .rules import email_key, fold, mailbox
from .storage import store
from .wording import now

# Composed once, and run on the connection. Composing them, or using the ORM session, costs several
# times as much as running them (docs/performance.md).
_new = insert(Lead)
# Insert a lead for a new address. The lead of a known address keeps the names from its first
# submission and becomes pending again.
UPSERT_LEAD = _new.on_conflict_do_update(
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
INSERT_SUBMISSION = insert(Submission).on_conflict_do_nothing().returning(Submission.id)
INSERT_EVENT = insert(Event)


@dataclass(frozen=True)
class Details:
    """The validated details and resume of a prospect."""

    first_name: str
    last_name: str
    email: str
    resume: Resume

    def typed(self) -> dict[str, str]:
        """Return the values that the prospect typed, by column."""
        return {"first_name": self.first_name, "last_name": self.last_name, "email": self.email}

    def digest(self) -> str:
        """Return a hash of the content.

        If a form is sent again with any change, it is a new submission.
        """
        content = [*self.typed().values(), self.resume.filename, self.resume.sha256]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True)
class Sending:
    """The address a submission comes from, and the id of its form or its Idempotency-Key.

    With `one_content`, the same network may not use the id again for other content.
    """

    address: str
    id: str | None = None
    one_content: bool = False

    @property
    def network(self) -> str:
        """Return a keyed hash of the network that the submission comes from."""
        return network_key("submission", self.address)

    def keys(self, fingerprint: str) -> dict[str, str | None]:
        """Return the unique columns that find a repeat of the submission."""
        if not self.id:
            return {"once": None, "once_network": None}
        of_network = tokens.digest("once", f"{self.id} {self.network}")
        return {
            "once": f"{self.id}.{fingerprint}",
            "once_network": of_network if self.one_content else None,
        }


class Submitted(NamedTuple):
    """A stored submission, and whether an earlier request with the same content stored it."""

    submission: Submission
    replayed: bool


def keep_resume(resume: Resume) -> Resume:
    """Move a staged resume into storage under its final key."""
    if resume.staged is None:
        return resume
    store.keep(resume.staged, resume.key)
    return replace(resume, staged=None, kept_at=now().timestamp())


def submit(details: Details, sending: Sending) -> Submitted:
    """Store the file, then the submission, its lead and its e-mails in one transaction.

    An id is remembered for a day. The same id with the same content returns the first submission,
    from any network. The same id with other content is a new submission; with `one_content`, it
    raises KeyReused if this network has used the id. Other networks may use the same id, or a
    stranger could use up the ids of others. The lead of a known address becomes pending again.
    Upserts decide races; only the count of confirmations takes a lock.
    """
    details = replace(details, resume=keep_resume(details.resume))
    at, resume, fingerprint = now(), details.resume, details.digest()
    run = db.session.connection().execute
    lead = new_lead(details, at)
    lead_id, count = run(UPSERT_LEAD, lead).one()
    row = details.typed() | resume.described()
    row |= {
        "id": uuid.uuid4(),
        "lead_id": lead_id,
        "number": count,
        "storage_key": resume.key,
        "fingerprint": fingerprint,
        "created_at": at,
    }
    row |= sending.keys(fingerprint)
    if run(INSERT_SUBMISSION, row).first() is None:
        db.session.rollback()
        return _again(details, sending, at)
    submission = Submission(**row)
    letters.enqueue(submission, mailbox(lead["email_key"]), sending.network)
    kind = "submitted" if count == 1 else "resubmitted"
    run(INSERT_EVENT, {"lead_id": lead_id, "kind": kind, "created_at": at})
    db.session.commit()
    return Submitted(submission, replayed=False)


def _again(details: Details, sending: Sending, at: datetime) -> Submitted:
    """Return the answer after the INSERT of a submission conflicted.

    If the same content was sent under this id, return that submission. If the network has used the
    id for other content, raise KeyReused. If only the kept file was used, submit a copy of it. If
    the id is older than a day, free it and submit.
    """
    keys = sending.keys(details.digest())
    same = [getattr(Submission, name) == key for name, key in keys.items() if key]
    used = db.session.scalars(select(Submission).where(or_(*same))).all() if same else []
    recent = [first for first in used if first.created_at >= at - ONCE_FOR]
    for first in recent:
        if first.once == keys["once"]:
            return Submitted(first, replayed=True)
    if recent:
        raise KeyReused("idempotency_key_reused")
    if not used:
        return submit(replace(details, resume=_copy(details.resume)), sending)
    old = update(Submission).where(Submission.id.in_([first.id for first in used]))
    db.session.execute(old.values(once=None, once_network=None))
    db.session.commit()
    return submit(details, sending)


def read_receipt(submission_id: uuid.UUID) -> Submission:
    """Return a submission and its lead, for the page after sending."""
    found = (
        select(Submission)
        .options(joinedload(Submission.lead))
        .where(Submission.id == submission_id)
    )
    submission = db.session.scalar(found)
    if submission is None:
        raise NotFound("receipt_unknown")
    return submission


def request_erasure(submission: Submission) -> None:
    """Record an erasure request and notify the firm, once. An attorney erases the lead."""
    asking = update(Lead).where(Lead.id == submission.lead_id, Lead.erasure_asked_at.is_(None))
    if db.session.scalar(asking.values(erasure_asked_at=now()).returning(Lead.id)):
        letters.enqueue_for_firm("erasure", submission.id, now())
        db.session.add(Event(lead_id=submission.lead_id, kind="erasure_asked"))
    db.session.commit()


def new_lead(details: Details, at: datetime) -> dict[str, Any]:
    """Return the columns of a lead whose first submission came at that time."""
    first, last = details.first_name, details.last_name
    keys = {
        "email_key": email_key(details.email),
        "first_name_key": fold(f"{first} {last}")[:NAME_KEY_MAX],
        "last_name_key": fold(f"{last} {first}")[:NAME_KEY_MAX],
        "status": LeadStatus.PENDING,
    }
    return details.typed() | keys | dict.fromkeys(("created_at", "updated_at", "pending_since"), at)


def _copy(resume: Resume) -> Resume:
    """Store a copy of a kept resume under a new key.

    A form that is corrected and sent again is a new submission, which needs its own file.
    """
    key = secrets.token_hex(16) + PurePath(resume.key).suffix
    with store.open(resume.key) as kept, store.stage() as staged:
        shutil.copyfileobj(kept, staged)
        store.keep(staged, key)
    return replace(resume, key=key)
