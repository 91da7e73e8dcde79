"""Match leads with a typed search.

A lead matches if one of its columns starts with the typed text. Each of these columns has an index
that begins with the status. The values with the same start are a range of that index, so a database
counts the first matches of each status from the index alone.
"""

import functools
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, or_, select, union

from ..characters import CLEANED_EMAIL
from ..extensions import db
from ..formatting import read_reference
from ..models.leads import Lead, LeadStatus, LeadWord
from ..normalize import email_key, lead_words, query_words

# Matches are counted exactly up to this number.
COUNTED = 1000
# The rows of a word are counted up to this number, to find the rarest of several words.
RANKED = 3000
LAST_CHARACTER = "\U0010ffff"
# "Ana Ruiz <ana@example.com>", or the address of a link to an e-mail address.
PASTED = re.compile(
    r"(?:.*<\s*)?(?P<link>mailto:)?(?P<address>[^\s<>?]+@[^\s<>?,;]+)(?:\?\S*)?\s*>?",
    re.IGNORECASE,
)
# Signs around an address that was copied from a list of recipients or from a sentence.
AROUND_PASTED = " ,;.'\"()"


class Count(NamedTuple):
    """A number of leads. If it is not exact, there are at least that many."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        """Return the number in words for people."""
        if self.is_exact:
            return f"{self.number:,}"
        if self.number >= COUNTED:  # `Page.count` returns such a number only if there are more
            return f"more than {COUNTED:,}"
        return f"at least {self.number:,}"


class Start(NamedTuple):
    """A column that may start with a typed text."""

    column: Any
    text: str

    def condition(self) -> ColumnElement[bool]:
        """Return the condition that the column starts with the text."""
        within: ColumnElement[bool] = self.column.between(self.text, self.text + LAST_CHARACTER)
        return within

    def rows(self, status: LeadStatus, at_most: int | None = None) -> Select[Any]:
        """Return a SELECT of the status and the id of the leads with this start.

        With `at_most`, it returns at most that many rows, in the order of the index. Without an
        order, PostgreSQL may read the table instead.
        """
        columns: tuple[Any, Any] = (Lead.status, Lead.id)
        if self.column is LeadWord.word:
            columns = (LeadWord.status, LeadWord.lead_id)
        at_status, lead_id = columns
        rows: Select[Any] = select(at_status.label("status"), lead_id.label("id"))
        rows = rows.where(at_status == status, self.condition())
        if at_most is not None:
            rows = rows.order_by(self.column, lead_id).limit(at_most)
        return rows


@dataclass(frozen=True)
class Terms:
    """A typed search: a lead matches by all of the words, by its e-mail address or its reference.

    `find_terms` puts the rarest word first and sets the last two fields. `counted` has the statuses
    in which all matches are counted. `estimate` is the approximate number of matches; it may be too
    low, because rows are counted only up to RANKED.
    """

    words: tuple[str, ...] = ()
    email: str = ""
    reference: str = ""
    counted: frozenset[LeadStatus] = frozenset(LeadStatus)
    estimate: int = 0

    def match(self) -> ColumnElement[bool]:
        """Return the condition that a row of the table of leads matches."""
        ways = [start.condition() for start in self.lead_starts()]
        if self.words:
            ways.append(and_(*[_has_word(Lead.id, word) for word in self.words]))
        return or_(false(), *ways)

    def starts(self) -> list[Start]:
        """Return the starts of the words, then those of a lead's own columns."""
        starts = [Start(LeadWord.word, word) for word in self.words]
        starts.extend(self.lead_starts())
        return starts

    def lead_starts(self) -> list[Start]:
        """Return the starts of a lead's own columns; one of them is enough for a match."""
        starts = [Start(Lead.email_key, self.email), Start(Lead.reference, self.reference)]
        return [start for start in starts if start.text]

    def find(self, statuses: Iterable[LeadStatus], at_most: int | None = None) -> Subquery:
        """Return the statuses and ids of the matches in these statuses.

        With `at_most`, it reads at most that many rows for the first word, for the e-mail address
        and for the reference, in each status.
        """
        found: list[Any] = []
        for status in statuses:
            found.extend(start.rows(status, at_most) for start in self.lead_starts())
            if self.words:
                found.append(self._with_words(status, at_most))
        if not found:
            found.append(select(Lead.status, Lead.id).where(false()))
        if len(found) == 1:
            # A lead may have two words with this start. A union of one part would keep both rows.
            return select(found[0].subquery()).distinct().subquery()
        return union(*[select(arm.subquery()) for arm in found]).subquery()

    def _with_words(self, status: LeadStatus, at_most: int | None) -> Select[Any]:
        first = Start(LeadWord.word, self.words[0]).rows(status, at_most).subquery()
        others = [_has_word(first.c.id, word) for word in self.words[1:]]
        return select(first).where(*others)

    def walk(
        self,
        leads: Select[uuid.UUID],
        columns: Sequence[Any],
        past: Callable[[Any], ColumnElement[bool]],
        skipped: int,
        size: int,
    ) -> Sequence[uuid.UUID] | None:
        """Read leads in their order, and return the ids of those that match.

        `leads` are ordered by `columns`, and `past` returns the condition that a lead comes after a
        place. Returns None if too few match among the first leads. Then the caller must find and
        sort all matches.

        With a million leads, sorting the matches of a common word takes up to a second. A walk to
        the first 25 takes a few milliseconds. The walk ends after twice as many leads as there are
        matches, because it then costs as much as sorting them.
        """
        place = leads.with_only_columns(*columns).offset(2 * self.estimate).limit(1)
        end = db.session.execute(place).first()
        matching = leads.where(self.match()).offset(skipped).limit(size)
        if end:
            matching = matching.where(~past(end))
        ids = db.session.scalars(matching).all()
        if end and len(ids) < size:
            return None
        return ids


def new_words(lead: Any) -> list[dict[str, Any]]:
    """Return the rows of the words by which a search finds a lead."""
    words = lead_words(lead.first_name, lead.last_name, lead.email_key)
    return [{"lead_id": lead.id, "word": word, "status": lead.status} for word in words]


def find_terms(q: str) -> Terms | None:
    """Return the terms of a typed search, or None if nothing was typed."""
    if not q:
        return None
    terms = read_terms(q)
    if not terms.starts():
        return terms
    counts = _count_rows(terms)
    by_word = dict(zip(terms.words, counts, strict=False))
    rarest_first = sorted(by_word, key=lambda word: sum(by_word[word].values()))
    # A search reads the rows of a lead's own columns and of the rarest word. It checks the other
    # words only on the leads that the rarest word finds.
    read = counts[len(by_word) :]
    if rarest_first:
        read.append(by_word[rarest_first[0]])
    counted = [status for status in LeadStatus if all(rows[status] <= COUNTED for rows in read)]
    estimate = sum(sum(rows.values()) for rows in read)
    return replace(terms, words=tuple(rarest_first), counted=frozenset(counted), estimate=estimate)


def _count_rows(terms: Terms) -> list[dict[LeadStatus, int]]:
    """Count the rows of each start in each status, up to RANKED."""
    numbers = iter(db.session.connection().execute(_counting(terms)).one())
    return [{status: next(numbers) for status in LeadStatus} for _ in terms.starts()]


@functools.lru_cache
def _counting(terms: Terms) -> Select[Any]:
    """Return a SELECT of one row with all these counts."""
    counts = []
    for start in terms.starts():
        for status in LeadStatus:
            rows = start.rows(status, RANKED).subquery()
            counts.append(select(func.count()).select_from(rows).scalar_subquery())
    return select(*counts)


@functools.lru_cache
def count_by_status(terms: Terms) -> Select[LeadStatus, int]:
    """Return a SELECT of the number of the first matches in each status."""
    found = terms.find(LeadStatus, at_most=COUNTED + 1).c
    return select(found.status, func.count()).group_by(found.status)


@functools.lru_cache
def read_terms(q: str) -> Terms:
    """Return the terms of a typed search, which may be a pasted "Ana Ruiz <ana@example.com>"."""
    cleaned = unicodedata.normalize("NFC", q.translate(CLEANED_EMAIL)).strip().strip(AROUND_PASTED)
    pasted = PASTED.fullmatch(cleaned)
    if pasted:
        address = pasted["address"]
        if pasted["link"]:
            # A link may have %2B for +. PostgreSQL rejects NUL.
            address = unquote(address).replace("\0", "")
        return Terms(email=email_key(address))
    terms = Terms(words=tuple(query_words(q)), reference=read_reference(q) or "")
    # An e-mail address has no space, and @example.com is one of the words.
    if re.search(r"\s", cleaned) or cleaned.startswith("@"):
        return terms
    if "@" in cleaned:
        return Terms(email=cleaned.lower())
    return replace(terms, email=cleaned.lower())


def _has_word(lead_id: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a lead has a word that starts with this text.

    The scalar subquery runs once for each lead. For an EXISTS, PostgreSQL may read all leads that
    have such a word, and join them.
    """
    has_start = Start(LeadWord.word, text).condition()
    own_words = select(LeadWord.word).where(LeadWord.lead_id == lead_id, has_start)
    return own_words.limit(1).correlate_except(LeadWord).scalar_subquery().is_not(None)
