"""Find leads by filter, order and page."""

import functools
import math
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, true, tuple_

from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus, Submission
from .matching import COUNTED, Count, Terms, count_by_status, find_terms

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

# The columns of a list. It selects rows, because ORM objects cost twice as much.
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
Listing = Select[*tuple[Any, ...]]  # a SELECT of the columns of LISTED
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

    def past(self, place: Any, backwards: bool = False) -> ColumnElement[bool]:
        """Return the condition that a lead comes after a place, which has the columns of the order.

        Pending leads have no reached_out_at, so only the id orders them. If the list has one
        status, the comparison omits it, and the other columns are one range of an index.
        """
        columns, values = [], []
        for column in ORDERS[self.sort_by]:
            value = getattr(place, column.key)
            if value is not None and value != self.status:
                columns.append(column)
                values.append(value)
        if self.descends(backwards):
            return tuple_(*columns) < tuple(values)
        return tuple_(*columns) > tuple(values)

    def statuses(self) -> list[LeadStatus]:
        """Return the statuses that the list shows."""
        return [self.status] if self.status else list(LeadStatus)

    def ids(self, terms: Terms | None) -> Select[uuid.UUID]:
        """Return a SELECT of the ids of all matching leads, without an order.

        `terms` are those of the search, or None without a search.
        """
        ids: Select[uuid.UUID] = select(Lead.id)
        if terms:
            found = terms.find(self.statuses())
            ids = ids.join(found, found.c.id == Lead.id)
        elif self.status:
            ids = ids.where(Lead.status == self.status)
        return ids

    def counts(self, terms: Terms | None) -> dict[LeadStatus, int]:
        """Count the matching leads in each status; a status without leads is left out.

        In a status with many matches, this counts only the first of them.
        """
        counting = count_by_status(terms) if terms else COUNT_BY_STATUS
        return dict(db.session.connection().execute(counting).all())


@dataclass(frozen=True)
class Page:
    """One page of the matching leads, and the number of matches in each status.

    `counted` has the statuses in which all matches are counted.
    """

    items: Sequence[Row[Any]]  # with the columns of LISTED
    counts: dict[LeadStatus, int]
    query: Query
    has_next: bool
    counted: Collection[LeadStatus] = tuple(LeadStatus)

    @property
    def total(self) -> Count:
        """Count the matching leads on all pages, in the query's status if it has one."""
        return self.count(self.query.status)

    @property
    def pages(self) -> int:
        """Count the pages of the counted leads."""
        return math.ceil(self.total.number / self.query.size)

    def count(self, status: LeadStatus | None) -> Count:
        """Count the matches in a status, or in all of them."""
        statuses = replace(self.query, status=status).statuses()
        number = sum(self.counts.get(one, 0) for one in statuses)
        is_exact = all(one in self.counted for one in statuses)
        # An empty page does not show where the matches end, unless it is the first.
        is_read = bool(self.items) or self.query.page == 1
        if not is_exact and is_read and status == self.query.status:
            # The matches up to the end of this page exist, and the last page has the last of them.
            up_to_here = (self.query.page - 1) * self.query.size + len(self.items)
            number = max(number, up_to_here)
            is_exact = not self.has_next
        if self.query.q and number > COUNTED:
            return Count(COUNTED, is_exact=False)
        return Count(number, is_exact)


def search(query: Query) -> Page:
    """Return a page of the leads that match a query; each row includes the newest resume."""
    terms = find_terms(query.q)
    counts = query.counts(terms)
    if terms is None or terms.counted.issuperset(query.statuses()):
        page = _read_counted(query, counts, terms)
    else:
        page = _read_uncounted(query, counts, terms)
    if terms:
        page = replace(page, counted=terms.counted)
    return page


def _read_uncounted(query: Query, counts: dict[LeadStatus, int], terms: Terms) -> Page:
    """Return a page of common matches, which are not all counted."""
    skipped = (query.page - 1) * query.size
    ids = find(query, terms, skipped=skipped, size=query.size + 1)
    # All searches share one cached statement, so its key has no search, page and size.
    listing = _listing_of_ids(replace(query, q="", page=1, size=1))
    of_page = {"ids": ids[: query.size]}
    rows = db.session.connection().execute(listing, of_page).all()
    return Page(rows, counts, query, has_next=len(ids) > query.size)


def _read_counted(query: Query, counts: dict[LeadStatus, int], terms: Terms | None) -> Page:
    """Return a page of leads that are all counted.

    The database skips the earlier pages in the index alone. It reads a page past the middle from
    the other end.
    """
    total = sum(counts.get(status, 0) for status in query.statuses())
    skipped = (query.page - 1) * query.size
    left = total - skipped
    page = Page((), counts, query, has_next=left > query.size)
    if left <= 0:
        return page
    size = min(query.size, left)
    backwards = skipped > total // 2
    if backwards:
        skipped = left - size
    # All pages share one cached statement, so its key has no page and no size.
    listing = _listing(replace(query, page=1, size=1), backwards, terms)
    place = {"size": size, "skipped": skipped}
    rows = db.session.connection().execute(listing, place).all()
    return replace(page, items=rows)


@functools.lru_cache
def _listing(query: Query, backwards: bool, terms: Terms | None) -> Listing:
    """Return the statement of a list; size and offset are parameters, so one serves all pages."""
    ids = query.ids(terms).order_by(*query.order(backwards))
    here = ids.limit(bindparam("size")).offset(bindparam("skipped")).subquery()
    return _rows(query).join(here, here.c.id == Lead.id)


@functools.lru_cache
def _listing_of_ids(query: Query) -> Listing:
    """Return the statement of a list of leads whose ids are a parameter."""
    return _rows(query).where(Lead.id.in_(bindparam("ids", expanding=True)))


def _rows(query: Query) -> Listing:
    rows = select(*LISTED).outerjoin(Lead.newest).outerjoin(Lead.marked_by)
    return rows.order_by(*query.order())


def find(
    query: Query,
    terms: Terms | None,
    beside: Lead | None = None,
    backwards: bool = False,
    skipped: int = 0,
    size: int = 1,
) -> Sequence[uuid.UUID]:
    """Return the ids of some matches in the order of a list, from its start or beside a lead."""
    past = functools.partial(query.past, backwards=backwards)
    order = query.order(backwards)
    ahead = past(beside) if beside else true()
    if terms and not terms.counted.issuperset(query.statuses()):
        leads = query.ids(None).where(ahead).order_by(*order)
        walked = terms.walk(leads, ORDERS[query.sort_by], past, skipped, size)
        if walked is not None:
            return walked
    ids = query.ids(terms).where(ahead).order_by(*order)
    return db.session.scalars(ids.limit(size).offset(skipped)).all()
