"""A lead is erased for good."""

import uuid

from .. import erasures
from ..errors import InvalidInput, Message, NotFound
from ..models import User
from .reading import read


def erase(lead_id: uuid.UUID, by: User | None, reference: str) -> None:
    """Erase the lead of this reference."""
    lead = read(lead_id)
    if reference.strip().upper() != lead.reference:
        raise InvalidInput({"reference": [Message("reference_other", reference=lead.reference)]})
    if not erasures.erase(lead_id, by=by):
        raise NotFound("lead_unknown")  # a colleague was quicker
