"""Erasing leads, and keeping them erased after a restore."""

import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.dialects.postgresql import insert

from ..clock import now
from ..codes import Code
from ..config import settings
from ..errors import InvalidInput, Message, NotFound
from ..extensions import db
from ..formatting import read_reference
from ..log import logger
from ..mail import queue
from ..models.accounts import User
from ..models.leads import Erasure, Event, Lead, Submission
from .detail import read
from .history import record

LIST = "erased"


def erase(lead_id: uuid.UUID, *conditions: ColumnElement[bool], by: User | None = None) -> bool:
    """Erase a lead if it still matches `conditions`. Returns whether it did.

    Keeps an anonymous record. Deletes the rows and e-mails now; the next sweep deletes the files.
    """
    at = now()
    if not _delete(lead_id, *conditions):
        db.session.rollback()
        return False
    erasure = Erasure(id=lead_id, created_at=at)
    if by is not None:
        erasure.user_id = by.id
    db.session.add(erasure)
    db.session.commit()
    add_to_list({lead_id: at}, Path(settings.BACKUP_DIR))
    return True


def erase_again(erased: Mapping[uuid.UUID, datetime]) -> None:
    """Erase the leads that a restored database brought back."""
    for lead_id, at in erased.items():
        _delete(lead_id)
        erasure = insert(Erasure).values(id=lead_id, created_at=at)
        db.session.execute(erasure.on_conflict_do_nothing())
    db.session.commit()


def add_to_list(erased: Mapping[uuid.UUID, datetime], folder: Path) -> None:
    """Add leads to the list in a folder.

    If the list cannot be written now, the next backup adds the missing leads.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(folder / LIST, "a+", opener=_private) as file:
            descriptor = file.fileno()
            if _is_cut_off(descriptor):
                file.write("\n")
            for lead_id, at in erased.items():
                file.write(f"{lead_id} {at.isoformat()}\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        logger.error("an erasure is not on the list beside the backups: %s", error.strerror)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_cut_off(descriptor: int) -> bool:
    """Return whether the last line has no end, because of a crash."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return False
    return os.pread(descriptor, 1, size - 1) != b"\n"


def read_list(folder: Path) -> dict[uuid.UUID, datetime]:
    """Read the list in a folder. Returns the time of each erasure by the id of the lead."""
    path = folder / LIST
    erased: dict[uuid.UUID, datetime] = {}
    if not path.exists():
        return erased
    for line in path.read_text().splitlines():
        try:
            lead_id, at = line.split()
            # A crash may have cut off the time zone.
            erased[uuid.UUID(lead_id)] = datetime.fromisoformat(at).astimezone(UTC)
        except ValueError:
            logger.warning("a line of %s cannot be read and is left out", path)
    return erased


def _delete(lead_id: uuid.UUID, *conditions: ColumnElement[bool]) -> bool:
    """Delete a lead and its history. Returns whether the lead existed and matched."""
    db.session.execute(delete(Event).where(Event.lead_id == lead_id))
    deleted = delete(Lead).where(Lead.id == lead_id, *conditions)
    return db.session.scalar(deleted.returning(Lead.id)) is not None


def request_erasure(submission: Submission) -> None:
    """Record an erasure request and notify the firm, once. An attorney erases the lead."""
    at = now()
    first_request = (
        update(Lead)
        .where(Lead.id == submission.lead_id, Lead.erasure_asked_at.is_(None))
        .values(erasure_asked_at=at)
        .returning(Lead.id)
    )
    if db.session.scalar(first_request):
        queue.enqueue_for_firm("erasure", submission.id, at)
        record("erasure_asked", submission.lead_id)
    db.session.commit()


def erase_by_reference(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase a lead, or raise InvalidInput if the typed reference is not its own."""
    lead = read(lead_id)
    if read_reference(reference) != lead.reference:
        message = Message(Code.REFERENCE_OTHER, reference=lead.reference)
        raise InvalidInput({"reference": [message]})
    if not erase(lead_id, by=by):
        raise NotFound(Code.LEAD_UNKNOWN)  # a colleague erased it first
