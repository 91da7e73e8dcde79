"""Pages divide the list of leads, previous and next follow it, and every URL keeps it."""

import html
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from leadapp.leads import detail, search
from leadapp.leads.neighbours import find_neighbours
from leadapp.models.leads import LeadStatus
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory
from tests.integration.desk import LIST, address, kinds, mark, press, stored
from tests.pages import forms

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATE = "?status=&q=ana&sort_by=first_name&sort_desc=true&page=2&size=10"
NONSENSE = (
    "page=0",
    "page=x",
    "size=101",
    "sort_by=size",
    "sort_desc=maybe",
    "status=DONE",
    "order=name",
)
# All leads, one status, a search, or both. `queries` sorts each in both directions.
FILTERS = [
    (None, ""),
    *((status, "") for status in LeadStatus),
    (None, "jo"),
    (LeadStatus.PENDING, "jo"),
]


@pytest.fixture
def crowd(app: Flask) -> None:
    """Leads that share names and times, so that every order except by e-mail has ties."""
    for number in range(14):
        at = NOON + timedelta(hours=number % 3)
        columns: dict[str, object] = {
            "first_name": ("Ana", "Jo")[number % 2],
            "last_name": ("Ruiz", "Smith", "Jones")[number % 3],
            "created_at": at,
        }
        if number % 5 > 2:
            columns["reached_out"] = True
            columns["reached_out_at"] = NOON + timedelta(days=number % 2)
        LeadFactory.create(**columns)


def order(query: search.Query) -> list[uuid.UUID]:
    return [lead.id for lead in search.search(query).items]


def queries(sort_by: str) -> Iterator[search.Query]:
    for status, q in FILTERS:
        for sort_desc in (True, False):
            yield search.Query(status, q, sort_by, sort_desc, size=100)


@pytest.mark.parametrize("sort_by", search.ORDERS)
@pytest.mark.usefixtures("crowd")
def test_previous_and_next_follow_the_list(sort_by: str) -> None:
    for query in queries(sort_by):
        found = [detail.read(lead_id) for lead_id in order(query)]
        leads = [None, *found, None]
        assert len(leads) >= 5
        for before, lead, after in zip(leads, leads[1:], leads[2:], strict=False):
            assert lead
            expected = (before and before.id, after and after.id)
            assert find_neighbours(lead, query) == expected, query


@pytest.mark.parametrize("sort_by", search.ORDERS)
@pytest.mark.usefixtures("crowd")
def test_pages_cut_the_list_wherever_they_are_read_from(sort_by: str) -> None:
    for query in queries(sort_by):
        whole = order(query)
        for size in (2, 5):
            for page in range(1, len(whole) // size + 3):
                cut = whole[(page - 1) * size : page * size]
                one_page = replace(query, page=page, size=size)
                assert order(one_page) == cut, query


@pytest.mark.parametrize("sort_by", ["pending_since", "last_name", "email"])
def test_a_lead_that_left_the_list_keeps_its_place(signed_in: Client, sort_by: str) -> None:
    for number in range(3):
        LeadFactory.create(
            last_name=f"R{number}",
            email=f"r{number}@example.com",
            created_at=NOON + timedelta(number),
        )
    query = search.Query(LeadStatus.PENDING, "", sort_by, sort_desc=False)
    first, middle, last = order(query)
    mark(signed_in, signed_in.get(f"/dashboard/leads/{middle}"))
    marked = detail.read(middle)
    assert find_neighbours(marked, query) == (first, last)


def links(page: str, to: str = "/dashboard/") -> list[str]:
    """Returns the targets of a page's links and forms, as a browser reads them."""
    found = re.findall(r'(?:href|action)="([^"]*)"', page)
    chosen = [html.unescape(link) for link in found if link.startswith(to)]
    return [link.partition("#")[0] for link in chosen]


def test_the_list_goes_along_in_every_address(signed_in: Client) -> None:
    for number in range(13):
        LeadFactory.create(first_name="Ana", created_at=NOON + timedelta(days=number))
    second_page = order(search.Query(q="ana", sort_by="first_name", page=2))
    lead = detail.read(second_page[1])
    LetterFactory.create(submission=lead.newest, next_at=None, attempts=1, reason="554 Spam")
    shown = signed_in.get(LIST + STATE)
    rows = links(shown.text, "/dashboard/leads/")
    rows += links(shown.text, "/dashboard/export")
    assert len(rows) == 1 + 3 * 2 + 1  # the banner, three rows, the export
    page = signed_in.get(address(lead) + STATE)
    without_state = ("/resume", "/preview", LIST)
    kept = [link for link in links(page.text) if not link.endswith(without_state)]
    paths = [urlsplit(link).path for link in kept]
    endings = {path.rpartition("/")[2] for path in paths}
    assert endings >= {"", "reached-out", "send", "erase"}
    erase = signed_in.get(address(lead, "/erase") + STATE)
    refused = press(signed_in, erase, "/erase", reference="LD-")
    for link in rows + kept + links(refused.text, address(lead)):
        assert link.endswith(STATE), link
    for answer in (
        press(signed_in, page, "/send"),
        mark(signed_in, page),
        mark(signed_in, shown, then="list"),
    ):
        assert answer.location.endswith(STATE)


def test_previous_and_next_lead_back_to_where_they_came_from(signed_in: Client) -> None:
    for number in range(3):
        LeadFactory.create(
            first_name="Ana", last_name=f"R{number}", created_at=NOON + timedelta(days=number)
        )
    first, second, third = order(search.Query(sort_desc=False))
    state = "?sort_by=created_at&sort_desc=false"
    page = signed_in.get(f"/dashboard/leads/{second}{state}").text
    neighbours = re.findall(r'rel="(prev|next)" href="([^"]*)"', page)
    expected = {"prev": first, "next": third}
    assert {rel: html.unescape(link) for rel, link in neighbours} == {
        rel: f"/dashboard/leads/{lead_id}{state}" for rel, lead_id in expected.items()
    }
    assert f'href="{html.escape(LIST + state)}#lead-{second}"' in page
    assert f'id="lead-{second}"' in signed_in.get(LIST + state).text


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_in_the_address_is_told_and_does_nothing(signed_in: Client, nonsense: str) -> None:
    lead = LeadFactory.create()
    LetterFactory.create(submission=lead.newest, next_at=None, attempts=1, reason="554 Spam")
    page = signed_in.get(address(lead))
    seen = stored().seen_at
    happened = kinds()
    paths = [LIST, f"{LIST}export.csv", address(lead), address(lead, "/erase")]
    for path in paths:
        assert signed_in.get(f"{path}?{nonsense}").status_code == 422, path
    for form in forms(page.text):
        if form.action.startswith("/dashboard"):
            answer = signed_in.post(f"{form.action}?{nonsense}", data=form.hidden)
            assert answer.status_code == 422, form.action
    assert kinds() == happened
    assert stored().seen_at == seen
    assert stored().status == LeadStatus.PENDING
