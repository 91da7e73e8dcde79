"""Store a prospect's submission, and read it for its receipt."""

import hashlib
import json
import secrets
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from .. import tokens
from ..clock import now
from ..codes import Code
from ..errors import LeadappError, NotFound
from ..extensions import db
from ..mail import queue
from ..models.leads import IDEMPOTENT_FOR, NAME_KEY_MAX, Lead, LeadStatus, LeadWord, Submission
from ..network import network_key
from ..normalize import email_key, fold
from ..resumes.inspect import Resume
from ..resumes.store import store
from ..validation import mailbox
from .history import record
from .matching import new_words

# Composed once, and run on the connection. Composing them, or using the ORM session, costs several
# times as much as running them (decision 5).
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
        "reached_out_at": None,
        "reached_out_by": None,
        "seen_at": None,
    },
).returning(
    Lead.id,
    Lead.submission_count,
    Lead.first_name,
    Lead.last_name,
    Lead.email_key,
    Lead.status,
)
# It also runs for a known lead, so that the response time does not reveal a known address.
INSERT_WORDS = insert(LeadWord).on_conflict_do_nothing()
INSERT_SUBMISSION = insert(Submission).on_conflict_do_nothing().returning(Submission.id)


@dataclass(frozen=True)
class Details:
    """The validated details and resume of a prospect."""

    first_name: str
    last_name: str
    email: str
    resume: Resume

    def digest(self) -> str:
        """Return a hash of the content.

        If a form is sent again with any change, it is a new submission.
        """
        person = [self.first_name, self.last_name, self.email]
        file = [self.resume.filename, self.resume.sha256]
        content = json.dumps(person + file).encode()
        return hashlib.sha256(content).hexdigest()


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

    def idempotency_key(self, fingerprint: str) -> str | None:
        """Return the key that a repeat of the submission shares."""
        return f"{self.id}.{fingerprint}" if self.id else None

    def claim_key(self) -> str | None:
        """Return the key that another submission from this network may not use."""
        if not self.id or not self.one_content:
            return None
        return tokens.digest("once", f"{self.id} {self.network}")


class Submitted(NamedTuple):
    """A stored submission, and whether an earlier request with the same content stored it."""

    submission: Submission
    replayed: bool


def keep_resume(resume: Resume) -> Resume:
    """Store a staged resume under its final key, even if the form must still be corrected."""
    if resume.staged is None:
        return resume
    store.keep(resume.staged, resume.key)
    return replace(resume, staged=None, kept_at=now().timestamp())


def submit(details: Details, sending: Sending) -> Submitted:
    """Store the file, then the submission, its lead and its e-mails in one transaction.

    An id is remembered for a day. The same id with the same content returns the first submission,
    from any network. The same id with other content is a new submission; with `one_content`, it
    raises IDEMPOTENCY_KEY_REUSED if this network has used the id. Other networks may use the same
    id, because otherwise a stranger could block it. The lead of a known address becomes pending
    again. Upserts decide races; only the count of confirmations takes a lock.
    """
    details = replace(details, resume=keep_resume(details.resume))
    at = now()
    connection = db.session.connection()
    lead = connection.execute(UPSERT_LEAD, new_lead(details, at)).one()
    lead_id, count = lead.id, lead.submission_count
    connection.execute(INSERT_WORDS, new_words(lead))
    row = new_submission(details, lead_id, number=count, at=at)
    row["idempotency_key"] = sending.idempotency_key(row["fingerprint"])
    row["network_key"] = sending.claim_key()
    if connection.execute(INSERT_SUBMISSION, row).first() is None:
        db.session.rollback()
        return _again(details, sending, at)
    submission = Submission(**row)
    queue.enqueue(submission, mailbox(lead.email_key), sending.network)
    kind = "submitted" if count == 1 else "resubmitted"
    record(kind, lead_id, at=at)
    db.session.commit()
    return Submitted(submission, replayed=False)


def _again(details: Details, sending: Sending, at: datetime) -> Submitted:
    """Replay the first answer, or store again, after the INSERT conflicted.

    Same idempotency key: replay the first answer, or raise IDEMPOTENCY_KEY_REUSED if the content
    differs. Only the kept file was reused: store again with a copy of it. Key older than a day:
    free the key and store again.
    """
    key = sending.idempotency_key(details.digest())
    used = _find_repeats(key, sending.claim_key())
    recent = [first for first in used if first.created_at >= at - IDEMPOTENT_FOR]
    for first in recent:
        if first.idempotency_key == key:
            return Submitted(first, replayed=True)
    if recent:
        raise LeadappError(Code.IDEMPOTENCY_KEY_REUSED)
    if not used:
        copied = replace(details, resume=_copy(details.resume))
        return submit(copied, sending)
    used_ids = [first.id for first in used]
    old = update(Submission).where(Submission.id.in_(used_ids))
    db.session.execute(old.values(idempotency_key=None, network_key=None))
    db.session.commit()
    return submit(details, sending)


def _find_repeats(key: str | None, network: str | None) -> Sequence[Submission]:
    """Return the submissions that used one of these keys; a key of None matches none."""
    if key is None:
        return []
    same = Submission.idempotency_key == key
    if network is not None:
        same = or_(same, Submission.network_key == network)
    return db.session.scalars(select(Submission).where(same)).all()


def read_receipt(submission_id: uuid.UUID) -> Submission:
    """Return a submission and its lead, for the page after sending."""
    with_lead = select(Submission).options(joinedload(Submission.lead))
    submission = db.session.scalar(with_lead.where(Submission.id == submission_id))
    if submission is None:
        raise NotFound(Code.RECEIPT_UNKNOWN)
    return submission


def new_lead(details: Details, at: datetime) -> dict[str, Any]:
    """Return the columns of a lead whose first submission came at that time."""
    first_name_first = f"{details.first_name} {details.last_name}"
    last_name_first = f"{details.last_name} {details.first_name}"
    return {
        "first_name": details.first_name,
        "last_name": details.last_name,
        "email": details.email,
        "email_key": email_key(details.email),
        "first_name_key": fold(first_name_first)[:NAME_KEY_MAX],
        "last_name_key": fold(last_name_first)[:NAME_KEY_MAX],
        "status": LeadStatus.PENDING,
        "created_at": at,
        "updated_at": at,
        "pending_since": at,
    }


def new_submission(
    details: Details, lead_id: uuid.UUID, number: int, at: datetime
) -> dict[str, Any]:
    """Return the columns of the `number`th submission of a lead."""
    resume = details.resume
    return {
        "id": uuid.uuid4(),
        "lead_id": lead_id,
        "number": number,
        "first_name": details.first_name,
        "last_name": details.last_name,
        "email": details.email,
        "filename": resume.filename,
        "content_type": resume.content_type,
        "size": resume.size,
        "sha256": resume.sha256,
        "warnings": resume.warnings,
        "storage_key": resume.key,
        "fingerprint": details.digest(),
        "created_at": at,
    }


def _copy(resume: Resume) -> Resume:
    """Store a copy of a kept resume under a new key.

    A form that is corrected and sent again is a new submission, which needs its own file.
    """
    key = secrets.token_hex(16) + PurePath(resume.key).suffix
    with store.open(resume.key) as kept, store.stage() as staged:
        shutil.copyfileobj(kept, staged)
        store.keep(staged, key)
    return replace(resume, key=key)
