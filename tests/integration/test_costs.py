"""Each page runs few statements, and each of them uses an index.

Their number does not grow with the list.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import (
    attention,
    detail,
    export,
    history,
    letters,
    matching,
    search,
    statistics,
)
from leadapp.leads.neighbours import find_neighbours
from leadapp.leads.statistics import _counted
from leadapp.models.accounts import User
from leadapp.models.leads import Lead, LeadStatus
from tests.clients import Client
from tests.crowd import gather, lengthen
from tests.factories import EventFactory, LeadFactory, LetterFactory, SubmissionFactory
from tests.integration.desk import LIST, address, mark, submit

# Plans that read all of `leads`, and plans that read all of a growing table or its index.
WHOLE_TABLE = r"SCAN leads$|Seq Scan on leads"
UNSOUGHT = (
    r"(SCAN|Seq Scan on) (leads|submissions|letters|events)|Index.* Scan .*\n(?! *Index Cond)"
)
REACHED_OUT = {"status": "REACHED_OUT"}
SORTED = r"TEMP B-TREE FOR ORDER|Sort Key"
INDEX_ALONE = r"(COVERING INDEX|Index Only Scan using) ix_leads_status\b"
STATUSES = (None, *LeadStatus)
SEARCHES = ("", "jo")
QUERIES = [
    search.Query(status, "", sort_by)
    for status, sort_by in itertools.product(STATUSES, search.ORDERS)
]
# Pending leads have no `reached_out_at`: in that order only the tie-breaker decides.
PLACED = [
    query
    for query in QUERIES
    if (query.status, query.sort_by) != (LeadStatus.PENDING, "reached_out_at")
]
Plans = Callable[..., list[str]]
ASKED: dict[str, Callable[[Lead], object]] = {
    "counts of a search": lambda _: search.Query(q="jo").counts(matching.find_terms("jo")),
    "attention": lambda _: attention.read_attention(),
    "figures": lambda _: statistics.read_statistics(),
    "arrivals": lambda _: attention.arrived_since(now()),
    "letters": lambda lead: letters.letters_of(lead.submissions),
    "history": history.read_latest,
}


@pytest.fixture
def statements(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """The statements and parameters that the database receives during the test."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def plans(backend: str, statements: list[tuple[str, Any]]) -> Plans:
    """`plans(ask)` returns the query plan of each SELECT that `ask()` runs.

    With `forced`, PostgreSQL scans and sorts only where it has no other way.
    """

    def explain(ask: Callable[[], object], forced: bool = False) -> list[str]:
        statements.clear()
        ask()
        asked = list(statements)
        connection, how = db.session.connection(), "EXPLAIN QUERY PLAN"
        if backend == "postgres":
            how = "EXPLAIN"
            for ability in ("enable_seqscan", "enable_sort", "enable_incremental_sort"):
                connection.exec_driver_sql(f"SET LOCAL {ability} = {'off' if forced else 'on'}")
        found = []
        for statement, parameters in asked:
            if "SELECT" in statement:
                rows = connection.exec_driver_sql(f"{how} {statement}", parameters)
                found.append("\n".join(row[-1] for row in rows))
        return found

    return explain


def test_a_long_list_asks_the_database_no_more_than_a_short_one(
    signed_in: Client, statements: list[tuple[str, Any]]
) -> None:
    counts = []
    for more in (1, 30):
        for _ in range(more):
            SubmissionFactory.create(lead=LeadFactory.create(reached_out=True))
        _counted.cache_clear()
        statements.clear()
        assert signed_in.get(f"{LIST}?status=&size=100").text.count("<bdi>") >= more
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 9


def test_a_submission_asks_no_more_than_it_needs(
    client: Client, statements: list[tuple[str, Any]], backend: str
) -> None:
    # PostgreSQL needs a lock to count confirmations exactly.
    lock = 1 if backend == "postgres" else 0
    # Both submissions take the same number of statements, so the response time does not
    # reveal whether the address is known.
    for filename in ("first.pdf", "second.pdf"):
        statements.clear()
        submit(client, "jose@example.com", filename)
        assert len(statements) == 6 + lock


def test_a_lead_with_a_long_story_asks_no_more_than_a_new_one(
    signed_in: Client, statements: list[tuple[str, Any]]
) -> None:
    lead, counts = LeadFactory.create(), []
    path = address(lead)
    for looks in range(1, 9):
        statements.clear()
        assert signed_in.get(path).text.count("Lead opened") == looks
        counts.append(len(statements))
        LetterFactory.create(submission=SubmissionFactory.create(lead=lead))
        EventFactory.create(lead=lead, kind="viewed")
    assert counts[1] == counts[-1] <= 7


def test_a_mark_reads_the_lead_once(
    signed_in: Client, bearer: dict[str, str], statements: list[Any]
) -> None:
    first, second = LeadFactory.create(), LeadFactory.create()
    page, path = signed_in.get(address(first)), f"/api/v1/leads/{second.id}"
    statements.clear()
    mark(signed_in, page)
    reads = [statement for statement, _ in statements if "FROM leads" in statement]
    assert len(reads) == 1
    statements.clear()
    assert signed_in.patch(path, json=REACHED_OUT, headers=bearer).status_code == 200
    reads = [statement for statement, _ in statements if "FROM leads" in statement]
    assert len(reads) == 1


@pytest.mark.parametrize("sort_by", search.ORDERS)
def test_every_list_is_read_from_an_index(plans: Plans, sort_by: str) -> None:
    for status, q, sort_desc in itertools.product(STATUSES, SEARCHES, (False, True)):
        query = search.Query(status, q, sort_by, sort_desc, page=2)
        for plan in plans(partial(search.search, query), forced=True):
            assert not re.search(WHOLE_TABLE, plan, re.MULTILINE), f"{query}:\n{plan}"
            # One sort of the rows of the page itself is allowed.
            assert q or len(re.findall(SORTED, plan)) <= 1, f"{query}:\n{plan}"


def lead_of_page_50(query: search.Query) -> Lead:
    found = search.search(replace(query, page=50))
    return detail.read(found.items[0].id)


def test_among_many_all_that_a_page_tells_is_sought_in_an_index(plans: Plans) -> None:
    gather(3000)
    lead = lead_of_page_50(search.Query(LeadStatus.REACHED_OUT))
    for name, ask in ASKED.items():
        for plan in plans(partial(ask, lead)):
            assert not re.search(UNSOUGHT, plan), f"{name}:\n{plan}"
    for query in PLACED:
        lead = lead_of_page_50(query)
        sought = plans(partial(find_neighbours, lead, query))
        for plan in sought[-2:]:
            assert not re.search(f"{UNSOUGHT}|{SORTED}", plan), f"{query}:\n{plan}"
            assert re.search(r"[<>]\s*(\(|ROW|\?|')", plan), f"{query}:\n{plan}"


def test_a_common_word_is_counted_and_walked_in_indexes(plans: Plans) -> None:
    gather(4000)
    counts = search.Query(q="@example").counts(matching.find_terms("@example"))
    assert max(counts.values()) == matching.COUNTED + 1  # more are there, but are not read
    for status, sort_by in itertools.product(STATUSES, search.ORDERS):
        for q in ("@", "LD-"):
            query = search.Query(status, q, sort_by)
            found = plans(partial(search.search, query), forced=True)
            # The counts, the place where the walk ends, the walk, and the rows of the page.
            assert len(found) >= 5, query
            for plan in found:
                assert not re.search(WHOLE_TABLE, plan, re.MULTILINE), f"{query}:\n{plan}"
            for plan in found[-3:-1]:
                assert not re.search(SORTED, plan), f"{query}:\n{plan}"


def test_the_counts_are_read_from_an_index_alone(plans: Plans, backend: str) -> None:
    gather(3000)
    if backend == "postgres":
        # PostgreSQL reads an index alone only where VACUUM has seen the rows.
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE leads")
    [plan] = plans(lambda: search.Query().counts(None))
    assert re.search(INDEX_ALONE, plan), plan
    assert not re.search(r"SCAN leads$|Seq Scan|TEMP B-TREE|Sort Key", plan, re.MULTILINE), plan


def read_export(query: search.Query) -> None:
    for _ in export.export_csv(query, None):
        pass


def test_an_export_begins_before_all_of_it_is_found(plans: Plans) -> None:
    for query in QUERIES:
        plan = plans(partial(read_export, query), forced=True)[-1]
        assert not re.search(f"{WHOLE_TABLE}|{SORTED}", plan, re.MULTILINE), f"{query}:\n{plan}"


def lead_parts(lead: Lead) -> list[str]:
    """Return the paths of everything that shows a lead."""
    api = f"/api/v1/leads/{lead.id}"
    parts = ("", "/history", "/history?page=3", "/submissions", "/submissions?page=2")
    paths = [address(lead, part) for part in parts]
    return [*paths, api, f"{api}/submissions?page=2"]


def rows_of(asked: list[tuple[str, Any]]) -> int:
    """Return the number of rows that these SELECT statements return."""
    count = 0
    for statement, parameters in asked:
        if "SELECT" in statement:
            found = db.session.connection().exec_driver_sql(statement, parameters)
            count += len(found.all())
    return count


def test_a_lead_with_thousands_of_events_costs_what_one_with_a_hundred_costs(
    signed_in: Client, bearer: dict[str, str], attorney: User, statements: list[tuple[str, Any]]
) -> None:
    gather(100)
    inside = select(Lead).order_by(Lead.created_at).offset(10).limit(2)  # both have two neighbors
    few, many = db.session.scalars(inside).all()
    for _ in range(60):
        EventFactory.create(lead=None, lead_id=None, kind="exported", user_id=attorney.id)
    lengthen(few, submissions=40, events=200, user_id=attorney.id)
    lengthen(many, submissions=140, events=5000, user_id=attorney.id)
    for short, long in zip(lead_parts(few), lead_parts(many), strict=True):
        costs = []
        for path in (short, long):
            signed_in.get(path, headers=bearer)  # records the view
            statements.clear()
            answer = signed_in.get(path, headers=bearer)
            assert answer.status_code == 200
            assert len(answer.data) < 60_000
            asked = list(statements)
            assert not any("INSERT" in statement for statement, _ in asked)
            costs.append((len(asked), rows_of(asked)))
        assert costs[0] == costs[1]
        assert costs[0][0] <= 8
        assert costs[0][1] <= 120


def test_all_parts_of_a_long_lead_are_sought_in_an_index(plans: Plans, attorney: User) -> None:
    gather(3000)
    lead_id = lead_of_page_50(search.Query()).id
    lengthen(detail.read(lead_id), submissions=60, events=3000, user_id=attorney.id)
    asked: list[Callable[[], object]] = [
        partial(detail.show, lead_id, attorney),
        partial(detail.page, lead_id, attorney, search.Query()),
        partial(detail.submissions_page, lead_id, attorney, page=2),
        partial(detail.list_submissions, lead_id, attorney, page=2),
    ]
    for ask in asked:
        for plan in plans(ask):
            assert not re.search(UNSOUGHT, plan), f"{ask}:\n{plan}"
    # The whole history has the e-mails about all 61 submissions. PostgreSQL may look for so many in
    # the small table instead of in its index.
    unsought = UNSOUGHT.replace("letters|", "")
    for page in (1, 3):
        for plan in plans(partial(detail.history_page, lead_id, attorney, page)):
            assert not re.search(unsought, plan), f"history:\n{plan}"
