"""Find leads by filter, order and page, and find the leads that need attention."""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, String, Subquery, bindparam, cast, func, select, tuple_, union
from sqlalchemy.orm import joinedload, selectinload

from ..extensions import db
from ..mail import queue
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus, Submission
from ..models.letters import Letter
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
WHOLE = (selectinload(Lead.submissions), joinedload(Lead.marked_by))
NAMED = 3  # a banner names at most this many leads

# Composed once, since composing a statement costs more than running it (docs/performance.md).
# A list selects rows, because ORM objects cost twice as much.
LISTED = (
    *(
        Lead.id,
        Lead.reference,
        Lead.full_name,
        Lead.first_name,
        Lead.last_name,
        Lead.email,
        Lead.status,
    ),
    *(
        Lead.created_at,
        Lead.updated_at,
        Lead.pending_since,
        Lead.reached_out_at,
        Lead.seen_at,
        Lead.erasure_asked_at,
    ),
    *(
        Lead.submission_count,
        Submission.content_type,
        Submission.size,
        User.username.label("marker"),
    ),
)
# This reads only the index on the status.
COUNT_BY_STATUS = select(Lead.status, func.count()).group_by(Lead.status)
FAILED = (
    select(Submission.lead_id)
    .join(Letter)
    .where(Letter.sent_at.is_(None), Letter.next_at.is_(None))
)
NAMES = select(Lead.id, Lead.reference).limit(NAMED)
WITH_FAILED = NAMES.where(Lead.id.in_(FAILED))
ASKING = NAMES.where(Lead.erasure_asked_at.is_not(None)).order_by(Lead.erasure_asked_at)


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
        """Return the columns to order by."""
        return [
            column.desc() if self.sort_desc != backwards else column
            for column in ORDERS[self.sort_by]
        ]

    def ids(self) -> Select[uuid.UUID]:
        """Return a SELECT of the ids of all matching leads, without an order."""
        ids: Select[uuid.UUID] = select(Lead.id)
        status: Any = Lead.status
        if self.q:
            ids = ids.join(found := self._found(), found.c.id == Lead.id)
            # Without the cast, SQLite scans an index of the status instead of the few matches.
            status = cast(Lead.status, String)
        return ids.where(status == self.status) if self.status else ids

    def counts(self) -> dict[LeadStatus, int]:
        """Count the matching leads in each status; a status without leads is left out."""
        counting = COUNT_BY_STATUS
        if self.q:
            found = self._found()
            counting = counting.join(found, found.c.id == Lead.id)
        return {status: count for status, count in db.session.connection().execute(counting)}

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
        ranges = (column.between(start, start + "\U0010ffff") for column, start in searched.items())
        return union(*(select(Lead.id).where(range_) for range_ in ranges)).subquery()


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
        return -(-self.total // self.query.size)


class Attention(NamedTuple):
    """The state of the e-mail queue, and leads that an attorney should look at.

    `failed` has leads with a failed e-mail, `asking` those with an erasure request. Each row is the
    id and the reference of a lead.
    """

    letters: queue.QueueState
    failed: Sequence[Row[uuid.UUID, str]]
    asking: Sequence[Row[uuid.UUID, str]]


def search(query: Query) -> Page:
    """Find leads by status and by the start of a name, an e-mail address or a reference.

    Each row includes the newest resume. The database skips the earlier pages in the index alone. It
    reads a page past the middle from the other end.
    """
    page, skipped = Page((), query.counts(), query), (query.page - 1) * query.size
    size = max(0, min(query.size, page.total - skipped))
    backwards = size > 0 and skipped > page.total // 2
    listing = _listing(replace(query, page=1, size=1), backwards)
    place = {"size": size, "skipped": page.total - skipped - size if backwards else skipped}
    return replace(page, items=db.session.connection().execute(listing, place).all())


@functools.lru_cache
def _listing(query: Query, backwards: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement of a list; size and offset are parameters, so one serves all pages."""
    ids = (
        query.ids()
        .order_by(*query.order(backwards))
        .limit(bindparam("size"))
        .offset(bindparam("skipped"))
    )
    listing = select(*LISTED).join(here := ids.subquery(), here.c.id == Lead.id)
    return listing.order_by(*query.order()).outerjoin(Lead.newest).outerjoin(Lead.marked_by)


def neighbours(lead: Lead, query: Query) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Find the leads before and after this one in a list, even if it has since left the list."""
    # Pending leads have no reached_out_at, so only the id orders them. If the list has one status,
    # the comparison omits it, and the other columns are one range of an index.
    known = {column: getattr(lead, column.key) for column in ORDERS[query.sort_by]}
    place = {column: value for column, value in known.items() if value not in (None, query.status)}
    here, there = tuple_(*place), tuple(place.values())
    sides = (here < there, here > there) if not query.sort_desc else (here > there, here < there)
    before, after = (
        db.session.scalar(query.ids().where(side).order_by(*query.order(backwards)).limit(1))
        for side, backwards in zip(sides, (True, False), strict=True)
    )
    return before, after


def attention() -> Attention:
    """Return the state of the e-mail queue, failed e-mails and erasure requests."""
    standing, run = queue.read_state(), db.session.connection().execute
    return Attention(standing, run(WITH_FAILED).all() if standing.failed else (), run(ASKING).all())


def arrived_since(moment: datetime) -> int:
    """Count the submissions that arrived after a moment."""
    newer = select(func.count()).select_from(Submission).where(Submission.created_at > moment)
    return db.session.scalar(newer) or 0
