"""Find leads by filter, order and page, and find the neighbors of a lead in a list."""

import functools
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, String, Subquery, bindparam, cast, func, select, tuple_, union

from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus, Submission
from ..normalize import fold

# Each order has an index. The id breaks ties; the e-mail address is unique and needs no id.
# Databases sort NULL first or last. Only pending leads have no reached_out_at, so sorting by the
# status first puts them on the same side on every database.
ORDERS: dict[str, tuple[Any, ...]] = {
    "created_at": (Lead.created_at, Lead.id),
    "updated_at": (Lead.updated_at, Lead.id),
    "pending_since": (Lead.pending_since, Lead.id),
    "reached_out_at": (Lead.status, Lead.reached_out_at, Lead.id),
    "first_name": (Lead.first_name_key, Lead.id),
    "last_name": (Lead.last_name_key, Lead.id),
    "email": (Lead.email_key,),
    "status": (Lead.status, Lead.id),
}
LAST_CHARACTER = "\U0010ffff"

# Composed once, since composing a statement costs more than running it (decision 5).
# A list selects rows, because ORM objects cost twice as much.
LISTED = (
    Lead.id,
    Lead.reference,
    Lead.full_name,
    Lead.first_name,
    Lead.last_name,
    Lead.email,
    Lead.status,
    Lead.created_at,
    Lead.updated_at,
    Lead.pending_since,
    Lead.reached_out_at,
    Lead.seen_at,
    Lead.erasure_asked_at,
    Lead.submission_count,
    Submission.content_type,
    Submission.size,
    User.username.label("marker"),
)
# This reads only the index on the status.
COUNT_BY_STATUS = select(Lead.status, func.count()).group_by(Lead.status)


@dataclass(frozen=True)
class Query:
    """The filter, the order and the page of a list of leads."""

    status: LeadStatus | None = None
    q: str = ""
    sort_by: str = "created_at"
    sort_desc: bool = True
    page: int = 1
    size: int = 10

    def order(self, backwards: bool = False) -> list[Any]:
        """Return the columns to order by, each ascending or each descending."""
        columns = ORDERS[self.sort_by]
        if self.descends(backwards):
            return [column.desc() for column in columns]
        return list(columns)

    def descends(self, backwards: bool) -> bool:
        """Return whether values fall along the list; reading backwards reverses its direction."""
        return self.sort_desc != backwards

    def ids(self) -> Select[uuid.UUID]:
        """Return a SELECT of the ids of all matching leads, without an order."""
        ids: Select[uuid.UUID] = select(Lead.id)
        status: Any = Lead.status
        if self.q:
            found = self._found()
            ids = ids.join(found, found.c.id == Lead.id)
            # Without the cast, SQLite scans an index of the status instead of the few matches.
            status = cast(Lead.status, String)
        if self.status:
            ids = ids.where(status == self.status)
        return ids

    def counts(self) -> dict[LeadStatus, int]:
        """Count the matching leads in each status; a status without leads is left out."""
        counting = COUNT_BY_STATUS
        if self.q:
            found = self._found()
            counting = counting.join(found, found.c.id == Lead.id)
        return dict(db.session.connection().execute(counting).all())

    def _found(self) -> Subquery:
        """Return a subquery of the ids of the leads that a search finds.

        A prefix is matched as a range of a sorted column, so every database uses the index.
        """
        folded = fold(self.q) or self.q
        searched = {
            Lead.first_name_key: folded,
            Lead.last_name_key: folded,
            Lead.email_key: self.q.lower(),
            Lead.reference: self.q.upper(),
        }
        matches = []
        for column, start in searched.items():
            starts_with = column.between(start, start + LAST_CHARACTER)
            matches.append(select(Lead.id).where(starts_with))
        return union(*matches).subquery()


@dataclass(frozen=True)
class Page:
    """One page of the matching leads, and the number of matches in each status."""

    items: Sequence[Row[Any]]  # with the columns of LISTED
    counts: dict[LeadStatus, int]
    query: Query

    @property
    def total(self) -> int:
        """Count the matching leads on all pages, in the query's status if it has one."""
        if self.query.status:
            return self.counts.get(self.query.status, 0)
        return sum(self.counts.values())

    @property
    def pages(self) -> int:
        """Count the pages."""
        return math.ceil(self.total / self.query.size)


def search(query: Query) -> Page:
    """Find leads by status and by the start of a name, an e-mail address or a reference.

    Each row includes the newest resume. The database skips the earlier pages in the index alone. It
    reads a page past the middle from the other end.
    """
    page = Page(items=(), counts=query.counts(), query=query)
    skipped = (query.page - 1) * query.size
    left = page.total - skipped
    if left <= 0:
        return page
    size = min(query.size, left)
    backwards = skipped > page.total // 2
    if backwards:
        skipped = left - size
    # All pages share one cached statement, so its key has no page and no size.
    listing = _listing(replace(query, page=1, size=1), backwards)
    place = {"size": size, "skipped": skipped}
    rows = db.session.connection().execute(listing, place).all()
    return replace(page, items=rows)


@functools.lru_cache
def _listing(query: Query, backwards: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement of a list; size and offset are parameters, so one serves all pages."""
    ids = query.ids().order_by(*query.order(backwards))
    ids = ids.limit(bindparam("size")).offset(bindparam("skipped"))
    here = ids.subquery()
    return (
        select(*LISTED)
        .join(here, here.c.id == Lead.id)
        .order_by(*query.order())
        .outerjoin(Lead.newest)
        .outerjoin(Lead.marked_by)
    )


class Neighbours(NamedTuple):
    """The leads before and after a lead in a list; None at an end of the list."""

    before: uuid.UUID | None
    after: uuid.UUID | None


def neighbours(lead: Lead, query: Query) -> Neighbours:
    """Find the leads before and after this one in a list, even if it has since left the list."""
    before = _find_beside(lead, query, backwards=True)
    after = _find_beside(lead, query, backwards=False)
    return Neighbours(before, after)


def find_following(lead_id: uuid.UUID, query: Query) -> uuid.UUID | None:
    """Find the lead after this one in a list; None at its end or if this lead is unknown."""
    lead = db.session.get(Lead, lead_id, populate_existing=True)
    if lead is None:
        return None
    return _find_beside(lead, query, backwards=False)


def _find_beside(lead: Lead, query: Query, backwards: bool) -> uuid.UUID | None:
    # Pending leads have no reached_out_at, so only the id orders them. If the list has one status,
    # the comparison omits it, and the other columns are one range of an index.
    columns, values = [], []
    for column in ORDERS[query.sort_by]:
        value = getattr(lead, column.key)
        if value is not None and value != query.status:
            columns.append(column)
            values.append(value)
    place = tuple(values)
    beside = tuple_(*columns) > place
    if query.descends(backwards):
        beside = tuple_(*columns) < place
    ids = query.ids().where(beside).order_by(*query.order(backwards))
    return db.session.scalar(ids.limit(1))


def arrived_since(moment: datetime) -> int:
    """Count the submissions that arrived after a moment."""
    counting = select(func.count()).select_from(Submission)
    return db.session.scalar(counting.where(Submission.created_at > moment)) or 0
