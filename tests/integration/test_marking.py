"""Marks can be undone or lead to the next lead, and each page keeps the query of the list."""

import html
import itertools
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import update
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.formatting import when
from leadapp.leads import detail, search, status
from leadapp.models.accounts import User
from leadapp.models.leads import Lead, LeadStatus
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import LIST, address, kinds, mark, press, stored, submit
from tests.pages import forms, words

STATE = "?status=&q=ana&sort_by=email&sort_desc=false&page=2&size=10"
# Marking a lead moves it in lists sorted by these columns, if the filter still matches it.
MOVING = ("updated_at", "status", "reached_out_at")


def undo(browser: Client, page: TestResponse) -> TestResponse:
    return press(browser, page, "/undo")


def state_of(lead: Lead) -> tuple[LeadStatus, datetime | None, UUID | None, datetime]:
    return (lead.status, lead.reached_out_at, lead.reached_out_by, lead.pending_since)


def listed(query: search.Query) -> list[Lead]:
    found = search.search(query)
    return [detail.read(row.id) for row in found.items]


def four(**given: object) -> None:
    for number in range(4):
        days = timedelta(days=9 - number)
        LeadFactory.create(created_at=now() - days, **given)


def follow(browser: Client, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303
    return browser.get(answer.location)


def mark_lead(browser: Client, lead: Lead) -> TestResponse:
    """Mark a lead on its page, and return the page that follows."""
    answer = mark(browser, browser.get(address(lead)))
    return follow(browser, answer)


def test_a_mark_is_taken_back(signed_in: Client, attorney: User) -> None:
    earlier = now() - timedelta(days=2)
    lead = LeadFactory.create(first_name="Ana", last_name="Ruiz", created_at=earlier)
    before = state_of(lead)
    shown = signed_in.get(address(lead) + STATE)
    page = follow(signed_in, mark(signed_in, shown))
    answer = undo(signed_in, page)
    assert answer.location == address(lead) + STATE
    page = signed_in.get(answer.location)
    assert "Ana Ruiz is pending again" in words(page.text)
    assert f"Mark undone by {attorney.username}" in words(page.text)
    assert "Waiting since" in words(page.text)
    assert state_of(stored()) == before
    assert stored().updated_at > before[-1]


@pytest.mark.parametrize(
    ("minutes", "may"),
    [(9.9, True), (10.1, False)],
)
def test_after_ten_minutes_a_mark_stays(signed_in: Client, minutes: float, may: bool) -> None:
    lead = LeadFactory.create()
    page = mark_lead(signed_in, lead)
    with time_machine.travel(now() + timedelta(minutes=minutes)):
        shown = forms(signed_in.get(address(lead)).text)
        assert any(form.action.endswith("/undo") for form in shown) == may
        answer = undo(signed_in, page)
    assert answer.status_code == (303 if may else 409)
    late = "This lead was marked more than ten minutes ago; the mark can no longer be undone"
    assert (late in words(answer.text)) != may
    assert (stored().status == LeadStatus.PENDING) == may
    assert ("undone" in kinds()) == may


def test_a_mark_is_taken_back_once(signed_in: Client, second: Client) -> None:
    lead = LeadFactory.create()
    page = mark_lead(signed_in, lead)
    other = second.get(address(lead))
    tabs = [(signed_in, page), (signed_in, page), (second, other)]
    for browser, shown in tabs:
        answer = follow(browser, undo(browser, shown))
        assert "is pending again" in words(answer.text)
    assert kinds().count("undone") == 1


def test_what_a_colleague_marked_since_is_not_taken_back(signed_in: Client, second: Client) -> None:
    lead = LeadFactory.create()
    page = mark_lead(signed_in, lead)
    undo(second, second.get(address(lead)))
    mark(second, second.get(address(lead)))
    before = state_of(stored())
    answer = undo(signed_in, page)
    assert answer.status_code == 409
    assert state_of(stored()) == before
    assert "The lead has changed since you read it" in words(answer.text)


def test_a_mark_set_while_an_older_one_is_undone_stays(
    signed_in: Client, attorney: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague undoes and marks the lead again after its version was compared."""
    lead = LeadFactory.create()
    page = mark_lead(signed_in, lead)
    read = detail.read

    def read_and_be_overtaken(lead_id: UUID) -> Lead:
        monkeypatch.setattr(status, "read", read)
        seen = read(lead_id)
        at = now()
        mark_again = update(Lead).values(reached_out_at=at, updated_at=at)
        with db.engine.begin() as elsewhere:
            elsewhere.execute(mark_again)
        return seen

    monkeypatch.setattr(status, "read", read_and_be_overtaken)
    assert undo(signed_in, page).status_code == 409
    assert stored().status == LeadStatus.REACHED_OUT


def test_who_has_written_again_waits_already(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=now() - timedelta(days=2))
    page = mark_lead(signed_in, lead)
    assert submit(signed_in, lead.email, "newer.pdf").status_code == 201
    before = state_of(stored())
    answer = follow(signed_in, undo(signed_in, page))
    assert "newer.pdf" in words(answer.text)
    assert state_of(stored()) == before
    assert "undone" not in kinds()


@pytest.mark.databases("sqlite")
def test_nobody_unknown_is_marked_or_taken_back(signed_in: Client) -> None:
    lead = LeadFactory.create()
    page = mark_lead(signed_in, lead)
    db.session.delete(stored().submissions[0])
    db.session.delete(stored())
    db.session.commit()
    assert undo(signed_in, page).status_code == 404


@pytest.mark.parametrize("sort_by", search.ORDERS)
@pytest.mark.parametrize("sort_desc", ["true", "false"])
def test_mark_and_next_walks_through_the_list(
    signed_in: Client, sort_by: str, sort_desc: str
) -> None:
    four()
    query = search.Query(LeadStatus.PENDING, "", sort_by, sort_desc == "true")
    order = [lead.id for lead in listed(query)]
    state = f"?status=PENDING&sort_by={sort_by}&sort_desc={sort_desc}"
    page = signed_in.get(f"/dashboard/leads/{order[0]}{state}")
    for marked, following in itertools.pairwise(order):
        answer = mark(signed_in, page, then="next")
        assert answer.location == f"/dashboard/leads/{following}{state}"
        page = signed_in.get(answer.location)
        assert f"/dashboard/leads/{marked}/undo{state}" in [
            form.action for form in forms(page.text)
        ]
    assert "Mark and next" not in words(page.text)
    answer = mark(signed_in, page, then="next")
    assert answer.location == LIST + state
    assert "is marked as reached out" in words(signed_in.get(answer.location).text)
    assert kinds().count("marked") == 4


@pytest.mark.parametrize("sort_by", MOVING)
@pytest.mark.parametrize("sort_desc", [True, False])
def test_next_is_whoever_followed_before_the_mark(
    signed_in: Client, sort_by: str, sort_desc: bool
) -> None:
    four()
    four(reached_out=True)
    query = search.Query(None, "", sort_by, sort_desc)
    waiting = [lead for lead in listed(query) if lead.status == LeadStatus.PENDING]
    for lead_id in [lead.id for lead in waiting]:
        before = [lead.id for lead in listed(query)]
        following = before[before.index(lead_id) + 1 :]
        page = signed_in.get(
            f"/dashboard/leads/{lead_id}?status=&sort_by={sort_by}&sort_desc={sort_desc}"
        )
        answer = mark(signed_in, page, then="next")
        expected = LIST
        if following:
            expected = f"/dashboard/leads/{following[0]}"
        assert urlsplit(answer.location).path == expected


def test_a_mark_in_the_list_comes_back_to_it(signed_in: Client) -> None:
    for number in range(12):
        LeadFactory.create(
            first_name="Ana", last_name=f"Ruiz {number:02}", email=f"ana{number:02}@example.com"
        )
    shown = signed_in.get(LIST + STATE)
    answer = mark(signed_in, shown, then="list")
    assert answer.location == LIST + STATE
    page = signed_in.get(answer.location)
    assert "Ana Ruiz 10 is marked as reached out" in words(page.text)
    assert "11 to 12 of 12" in words(page.text)
    again = follow(signed_in, undo(signed_in, page))
    assert "Ana Ruiz 10 is pending again" in words(again.text)
    [back] = re.findall(r'href="([^"]*)"><span aria-hidden="true">←', again.text)
    assert html.unescape(back).startswith(f"{LIST}{STATE}#lead-")


def test_each_of_two_marks_before_the_list_is_read_can_be_undone(signed_in: Client) -> None:
    leads = [LeadFactory.create(), LeadFactory.create()]
    shown = [signed_in.get(address(lead)) for lead in leads]
    for page_of_lead in shown:
        mark(signed_in, page_of_lead, then="list")
    page = signed_in.get(LIST).text
    for lead in leads:
        assert f"{lead.full_name} is marked as reached out" in words(page)
        assert f'action="{address(lead, "/undo")}' in page


@pytest.mark.parametrize("then", ["", "list", "next"])
def test_a_second_attorney_reads_it_wherever_the_mark_leads(
    signed_in: Client, second: Client, attorney: User, then: str
) -> None:
    four()
    oldest = listed(search.Query(sort_desc=False))[0]
    shown = second.get(f"/dashboard/leads/{oldest.id}?status=")
    mark(signed_in, signed_in.get(shown.request.path))
    at = listed(search.Query(LeadStatus.REACHED_OUT))[0].reached_out_at
    page = follow(second, mark(second, shown, then=then))
    assert at
    assert f"Already marked by {attorney.username} at {when(at)}" in words(page.text)
    assert kinds().count("marked") == 1


@pytest.mark.parametrize("then", ["list", "next"])
def test_a_newer_submission_is_shown_wherever_the_mark_leads(signed_in: Client, then: str) -> None:
    four()
    lead = listed(search.Query(sort_desc=False))[0]
    shown = signed_in.get(address(lead))
    SubmissionFactory.create(lead=lead, filename="newer.pdf")
    answer = mark(signed_in, shown, then=then)
    assert answer.status_code == 409
    assert "newer.pdf" in words(answer.text)
    assert "marked" not in kinds()
