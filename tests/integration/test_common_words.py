"""A search for a common word counts to a thousand, and leads to every match in order."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from leadapp.extensions import db
from leadapp.formatting import new_reference
from leadapp.leads import matching, search
from leadapp.leads.neighbours import find_neighbours
from leadapp.models.leads import Lead, LeadStatus
from tests.clients import Client
from tests.crowd import write
from tests.factories import LeadFactory
from tests.integration.desk import LIST
from tests.integration.test_export import rows
from tests.integration.test_upkeep import run
from tests.pages import words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEADS = "/api/v1/leads"
PENDING, REACHED_OUT = LeadStatus.PENDING, LeadStatus.REACHED_OUT


def add(count: int, first_name: str, status: LeadStatus, start: datetime) -> list[uuid.UUID]:
    """Add leads in bulk, one per second, and return their ids, oldest first."""
    leads: list[dict[str, Any]] = []
    for number in range(count):
        at = start + timedelta(seconds=number)
        email = f"{number}.{first_name}.{status}@example.com".lower()
        lead = {
            "id": uuid.uuid4(),
            "reference": new_reference(),
            "first_name": first_name,
            "last_name": "Ruiz",
            "email": email,
            "email_key": email,
            "first_name_key": f"{first_name} ruiz".lower(),
            "last_name_key": f"ruiz {first_name}".lower(),
            "status": status,
            "created_at": at,
            "updated_at": at,
            "pending_since": at,
            "reached_out_at": None if status == PENDING else at,
        }
        leads.append(lead)
    write(leads)
    return [lead["id"] for lead in leads]


@pytest.fixture
def many(app: Flask) -> list[uuid.UUID]:
    """2,400 leads called Ana, oldest first; the older half is pending."""
    pending = add(1200, "Ana", PENDING, NOON)
    return pending + add(1200, "Ana", REACHED_OUT, NOON + timedelta(days=1))


def test_counts_end_at_a_thousand_and_next_leads_to_the_last_match(
    signed_in: Client, bearer: dict[str, str], many: list[uuid.UUID]
) -> None:
    add(3, "Bea", PENDING, NOON)
    found: list[uuid.UUID] = []
    path = f"{LEADS}?q=ana&size=100&sort_by=created_at&sort_desc=false"
    while path:
        answer = signed_in.get(path, headers=bearer)
        page = answer.get_json()
        assert (page["total"], page["pages"], page["total_is_exact"]) == (1000, 10, False)
        found.extend(uuid.UUID(item["id"]) for item in page["items"])
        links = dict(re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["Link"]))
        assert "last" not in links.values()
        path = next((link for link, rel in links.items() if rel == "next"), "")
    assert found == many
    shown = words(signed_in.get(f"{LIST}?q=ana&status=").text)
    assert shown.count("more than 1,000") == 4
    assert "1 to 25 of more than 1,000" in shown
    assert "Download all matches as CSV" in shown
    last = words(signed_in.get(f"{LIST}?q=ana&status=&page=96").text)
    assert "2,376 to 2,400 of more than 1,000" in last
    assert "Page 96" in last
    assert "Next" not in last
    assert len(rows(signed_in, "?q=ana&status=")) == 2400


def test_exact_counts_stay_exact(signed_in: Client, bearer: dict[str, str]) -> None:
    add(1000, "Ana", PENDING, NOON)
    path = f"{LEADS}?q=ana&size=100&page=10"
    answer = signed_in.get(path, headers=bearer)
    page = answer.get_json()
    assert (page["total"], page["pages"], page["total_is_exact"]) == (1000, 10, True)
    assert 'rel="next"' not in answer.headers["Link"]
    assert "1 to 25 of 1,000," in words(signed_in.get(f"{LIST}?q=ana").text)
    assert "total_is_exact" not in signed_in.get(LEADS, headers=bearer).get_json()
    add(1, "Ana", REACHED_OUT, NOON)
    page = signed_in.get(path, headers=bearer).get_json()
    assert (page["total"], page["total_is_exact"]) == (1000, False)
    page = signed_in.get(f"{path}&status=PENDING", headers=bearer).get_json()
    assert (page["total"], page["total_is_exact"]) == (1000, True)


def test_the_command_says_that_there_are_more(app: Flask, many: list[uuid.UUID]) -> None:
    told = run(app, "lead", "list", "--q", "ana", "--page", "2")
    assert len(told.stdout.splitlines()) == 100
    assert told.stderr == "page 2, more than 1,000 in total\n"


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Count to 3 instead of 1,000, so that a few matches are common and a walk ends early."""
    cached = (matching._counting, matching.count_by_status, matching.read_terms)
    for function in cached:
        function.cache_clear()
    monkeypatch.setattr(matching, "COUNTED", 3)
    monkeypatch.setattr(search, "COUNTED", 3)
    monkeypatch.setattr(matching, "RANKED", 5)
    yield
    for function in cached:
        function.cache_clear()


@pytest.fixture
def mixed(app: Flask) -> list[Lead]:
    """Leads of few names; the last ones, in every order, are called Zoe."""
    for number in range(30):
        columns: dict[str, object] = {
            "first_name": ("Ana", "Anabel", "Bo")[number % 3],
            "last_name": ("Ruiz", "Anaya", "Smith")[number % 4 % 3],
            "created_at": NOON + timedelta(hours=number % 7),
        }
        if number % 5 > 2:
            columns["reached_out"] = True
            columns["reached_out_at"] = NOON + timedelta(days=number % 2)
        LeadFactory.create(**columns)
    for number in range(6):
        LeadFactory.create(
            first_name="Zoe",
            last_name="Zapata",
            email=f"zoe{number}@example.com",
            created_at=NOON + timedelta(days=9),
        )
    return list(db.session.scalars(select(Lead)))


def matches(lead: Lead, q: str) -> bool:
    """Return whether a lead matches, found without an index."""
    known = f"{lead.first_name} {lead.last_name} @example.com".lower().split()
    if " " not in q and lead.email_key.startswith(q):
        return True
    return all(any(word.startswith(typed) for word in known) for typed in q.split())


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("sort_by", search.ORDERS)
def test_common_words_give_the_pages_and_neighbours_of_the_whole_list(
    mixed: list[Lead], sort_by: str
) -> None:
    leads = {lead.id: lead for lead in mixed}
    for status, q, desc in product(
        (None, *LeadStatus), ("a", "ana", "zoe", "an ruiz", "@", "smith bo"), (False, True)
    ):
        query = search.Query(status, q, sort_by, desc, size=4)
        every = search.search(replace(query, q="", size=100)).items
        expected = [lead.id for lead in every if matches(leads[lead.id], q)]
        found: list[uuid.UUID] = []
        beyond = len(expected) // 4 + 2
        for page in range(1, beyond + 1):
            part = search.search(replace(query, page=page))
            found.extend(lead.id for lead in part.items)
            assert part.total.number <= min(3, len(expected)), query
            assert part.has_next == (page * 4 < len(expected)), query
            if part.total.is_exact:
                assert part.total.number == len(expected), query
        assert found == expected, query
        places: list[Any] = [None, *expected, None]
        for before, lead_id, after in zip(places, places[1:], places[2:], strict=False):
            neighbours = find_neighbours(leads[lead_id], query)
            assert neighbours == (before, after), query


@pytest.mark.usefixtures("low_limits")
def test_an_empty_list_leads_to_matches_that_are_not_counted(signed_in: Client) -> None:
    names = [("Ana", "Smith"), ("Bo", "Ruiz")] * 6 + [("Anz", "Ruiz")]
    for first_name, last_name in names:
        LeadFactory.create(first_name=first_name, last_name=last_name, reached_out=True)
    page = words(signed_in.get(f"{LIST}?q=an+ruiz").text)
    assert "No match for" in page
    assert "Show all leads that match" in page
    assert "1 to 1 of 1," in words(signed_in.get(f"{LIST}?q=an+ruiz&status=").text)
