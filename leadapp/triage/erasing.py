"""A lead is erased for good."""

import uuid

from sqlalchemy import delete

from ..errors import InvalidInput, Message, NotFound
from ..extensions import db
from ..models import Erasure, Event, Lead, User
from .reading import read


def erase(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase the lead of this reference: rows and letters now, files at the next sweep; a nameless record stays."""
    lead = read(lead_id)
    if reference.strip().upper() != lead.reference:
        raise InvalidInput({"reference": [Message("reference_other", reference=lead.reference)]})
    db.session.execute(delete(Event).where(Event.lead_id == lead_id))
    if db.session.scalar(delete(Lead).where(Lead.id == lead_id).returning(Lead.id)) is None:
        raise NotFound("lead_unknown")  # a colleague was quicker
    db.session.add(Erasure(id=lead_id, user_id=by and by.id))
    db.session.commit()
