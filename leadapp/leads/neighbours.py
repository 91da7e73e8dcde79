"""Find the neighbors of a lead in a list."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from ..extensions import db
from ..models.leads import Lead
from .matching import find_terms
from .search import Query, find


class Neighbours(NamedTuple):
    """The leads before and after a lead in a list; None at an end of the list."""

    before: uuid.UUID | None
    after: uuid.UUID | None


def find_neighbours(lead: Lead, query: Query) -> Neighbours:
    """Find the leads before and after this one in a list, even if it has since left the list."""
    terms = find_terms(query.q)
    before = find(query, terms, beside=lead, backwards=True)
    after = find(query, terms, beside=lead)
    return Neighbours(_first(before), _first(after))


def find_following(lead_id: uuid.UUID, query: Query) -> uuid.UUID | None:
    """Find the lead after this one in a list; None at its end or if this lead is unknown."""
    lead = db.session.get(Lead, lead_id, populate_existing=True)
    if lead is None:
        return None
    return _first(find(query, find_terms(query.q), beside=lead))


def _first(ids: Sequence[uuid.UUID]) -> uuid.UUID | None:
    return next(iter(ids), None)
