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
from ..log import logger
from ..mail import queue
from ..models.accounts import User
from ..models.leads import Erasure, Event, Lead, Submission
from .detail import read
from .history import record

LIST = "erased"


def erase(lead_id: uuid.UUID, *still: ColumnElement[bool], by: User | None = None) -> bool:
    """Erase a lead if its row meets all conditions in `still`, and return whether it did.

    Deletes the rows and e-mails now; the next sweep deletes the files. Keeps an anonymous record of
    the erasure.
    """
    at = now()
    if not _delete(lead_id, *still):
        db.session.rollback()
        return False
    db.session.add(Erasure(id=lead_id, user_id=by and by.id, created_at=at))
    db.session.commit()
    add_to_list({lead_id: at}, Path(settings["BACKUP_DIR"]))
    return True


def erase_again(erased: Mapping[uuid.UUID, datetime]) -> None:
    """Erase the leads that a restored database brought back."""
    for lead_id, at in erased.items():
        _delete(lead_id)
        db.session.execute(
            insert(Erasure).values(id=lead_id, created_at=at).on_conflict_do_nothing()
        )
    db.session.commit()


def add_to_list(erased: Mapping[uuid.UUID, datetime], folder: Path) -> None:
    """Add leads to the list in a folder.

    If the list cannot be written now, the next backup adds the missing leads.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(folder / LIST, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            if (size := file.tell()) and os.pread(file.fileno(), 1, size - 1) != b"\n":
                file.write("\n")  # a crash has cut off the last line
            file.writelines(f"{lead_id} {at.isoformat()}\n" for lead_id, at in erased.items())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        logger.error("an erasure is not on the list beside the backups: %s", error.strerror)


def read_list(folder: Path) -> dict[uuid.UUID, datetime]:
    """Read the list in a folder. Returns the time of each erasure by the id of the lead."""
    path, erased = folder / LIST, {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            lead_id, at = line.split()
            # A crash may have cut off the time zone.
            erased[uuid.UUID(lead_id)] = datetime.fromisoformat(at).astimezone(UTC)
        except ValueError:
            logger.warning("a line of %s cannot be read and is left out", path)
    return erased


def _delete(lead_id: uuid.UUID, *still: ColumnElement[bool]) -> bool:
    db.session.execute(delete(Event).where(Event.lead_id == lead_id))
    gone = delete(Lead).where(Lead.id == lead_id, *still).returning(Lead.id)
    return db.session.scalar(gone) is not None


def request_erasure(submission: Submission) -> None:
    """Record an erasure request and notify the firm, once. An attorney erases the lead."""
    asking = update(Lead).where(Lead.id == submission.lead_id, Lead.erasure_asked_at.is_(None))
    if db.session.scalar(asking.values(erasure_asked_at=now()).returning(Lead.id)):
        queue.enqueue_for_firm("erasure", submission.id, now())
        record("erasure_asked", submission.lead_id)
    db.session.commit()


def erase_by_reference(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase a lead, or raise InvalidInput if the typed reference is not its own."""
    lead = read(lead_id)
    if reference.strip().upper() != lead.reference:
        raise InvalidInput({"reference": [Message(Code.REFERENCE_OTHER, reference=lead.reference)]})
    if not erase(lead_id, by=by):
        raise NotFound(Code.LEAD_UNKNOWN)  # a colleague erased it first
