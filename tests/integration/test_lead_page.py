"""A lead's page: facts, submissions, letters, history; marking it; its resume."""

import html
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.models import Event, Lead, LeadStatus, User
from leadapp.wording import now, when
from tests import samples
from tests.clients import Client
from tests.factories import PASSWORD, EventFactory, LeadFactory, LetterFactory, SubmissionFactory, UserFactory
from tests.pages import hidden_fields

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAD_COUNTS: list[dict[str, str]] = [
    {},
    {"submission_count": ""},
    {"submission_count": "x"},
    {"submission_count": "1.5"},
]
LETTERS = {
    "Sent 1 Mar 2026, 12:00": {"sent_at": NOON, "next_at": None},
    "Failed 1st try 550 Nobody of this name": {"next_at": None, "attempts": 1, "reason": "550 Nobody of this name"},
    "Next try 1 Mar 2026, 12:00 451 Later": {"next_at": NOON, "attempts": 2, "reason": "451 Later"},
    "To be sent": {"next_at": NOON},
    "Being sent": {"next_at": NOON, "attempts": 1, "token": uuid.uuid4()},
}


def words(answer: TestResponse) -> str:
    """What a person reads on a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def address(lead: Lead, ending: str = "") -> str:
    return f"/dashboard/leads/{lead.id}{ending}"


def mark(browser: Client, lead: Lead, page: TestResponse) -> TestResponse:
    """Press the button on a page of this lead."""
    fields = hidden_fields(page.text, action=address(lead, "/reached-out"))
    return browser.post(address(lead, "/reached-out"), data=fields)


def kinds() -> list[str]:
    return list(db.session.scalars(select(Event.kind).order_by(Event.id)))


def stored() -> Lead:
    return db.session.scalars(select(Lead)).one()


@pytest.fixture
def second(app: Flask) -> Client:
    """A browser in which another attorney, Bo, has signed in."""
    UserFactory.create(username="Bo")
    browser = app.test_client()
    fields = hidden_fields(browser.get("/auth/login").text, having="password")
    assert browser.post("/auth/login", data=fields | {"username": "Bo", "password": PASSWORD}).status_code == 303
    assert isinstance(browser, Client)
    return browser


def test_a_page_holds_all_that_is_known_of_a_lead(signed_in: Client) -> None:
    lead = LeadFactory.create(first_name="Ana", last_name="<b>Ruiz", email="ana@example.com", created_at=NOON)
    second = SubmissionFactory.create(
        lead=lead,
        first_name="Anita",
        filename="new.docx",
        warnings=["has macros"],
        created_at=NOON + timedelta(hours=1),
    )
    page = words(signed_in.get(address(lead)))
    for part in ("Ana <b>Ruiz", lead.reference, "ana@example.com", "1 Mar 2026, 12:00", "2nd submission"):
        assert part in page
    assert page.index("Anita") < page.index("1st submission")
    for part in ("new.docx DOCX, ", "has macros", second.sha256, "cv.pdf PDF, ", lead.submissions[1].sha256):
        assert part in page


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("state", LETTERS)
def test_each_letter_tells_its_state(signed_in: Client, state: str) -> None:
    lead = LeadFactory.create()
    LetterFactory.create(submission=lead.newest, recipient="joe@example.com", **LETTERS[state])
    assert f"joe@example.com State {state}" in words(signed_in.get(address(lead)))


def test_the_history_tells_who_did_what_in_order(signed_in: Client, second: Client, attorney: User) -> None:
    lead = LeadFactory.create()
    EventFactory.create(lead=lead)
    page = signed_in.get(address(lead), headers={"X-Request-ID": "abc-1"})
    signed_in.get(address(lead, "/resume"))
    mark(second, lead, second.get(address(lead)))
    assert kinds() == ["submitted", "viewed", "downloaded", "viewed", "marked"]
    story = words(signed_in.get(address(lead))).partition("History")[2]
    me, parts = attorney.username, story.split("Request")
    for part, happened in zip(parts, ("came in", f"by {me}", f"downloaded by {me}", "by Bo", "by Bo"), strict=False):
        assert happened in part
    assert "Request abc-1" in story
    assert page.status_code == 200


def test_looking_changes_nothing_of_the_lead(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    for path in (address(lead), address(lead, "/resume")):
        signed_in.get(path)
    assert (stored().updated_at, stored().status) == (NOON, LeadStatus.PENDING)
    assert stored().seen_at is not None


def test_marking_is_seen_on_the_page_and_in_the_row(signed_in: Client, attorney: User) -> None:
    lead = LeadFactory.create(first_name="Ana", last_name="Ruiz")
    answer = mark(signed_in, lead, signed_in.get("/dashboard/"))
    assert (answer.status_code, answer.location) == (303, address(lead))
    page = words(signed_in.get(answer.location))
    assert "Ana Ruiz is marked as reached out" in page
    assert f"Reached out {when(stored().reached_out_at)} by {attorney.username}" in page
    assert "Mark as reached out" not in page
    assert (stored().status, stored().reached_out_by) == (LeadStatus.REACHED_OUT, attorney.id)
    assert stored().updated_at == stored().reached_out_at


def test_a_second_attorney_reads_who_marked_it(signed_in: Client, second: Client, attorney: User) -> None:
    lead = LeadFactory.create()
    shown = second.get(address(lead))
    mark(signed_in, lead, signed_in.get(address(lead)))
    first = (stored().reached_out_at, stored().reached_out_by, stored().updated_at)
    answer = mark(second, lead, shown)
    assert answer.status_code == 303
    expected = f"Already marked by {attorney.username} at {when(stored().reached_out_at)}"
    assert expected in words(second.get(answer.location))
    assert (stored().reached_out_at, stored().reached_out_by, stored().updated_at) == first
    assert kinds().count("marked") == 1


def test_two_attorneys_at_one_instant_are_one_change(signed_in: Client, second: Client) -> None:
    lead, start = LeadFactory.create(), threading.Barrier(2)

    def press(browser: Client, page: TestResponse) -> str:
        start.wait(10)
        answer = mark(browser, lead, page)
        return words(browser.get(answer.location))

    browsers = (signed_in, second)
    pages = [browser.get(address(lead)) for browser in browsers]
    lead = db.session.merge(lead, load=False) if False else stored()
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(press, browsers, pages))
    assert sorted("is marked as reached out" in page for page in told) == [False, True]
    assert sorted("Already marked by" in page for page in told) == [False, True]
    assert kinds().count("marked") == 1


def test_a_newer_submission_is_shown_before_a_lead_is_marked(signed_in: Client) -> None:
    lead = LeadFactory.create()
    shown = signed_in.get(address(lead))
    SubmissionFactory.create(lead=lead, filename="newer.pdf", created_at=now())
    answer = mark(signed_in, lead, shown)
    assert answer.status_code == 409
    assert "A newer submission has come; look at it first" in words(answer)
    assert "newer.pdf" in words(answer)
    assert (stored().status, "marked" in kinds()) == (LeadStatus.PENDING, False)
    assert mark(signed_in, lead, answer).status_code == 303
    assert stored().status == LeadStatus.REACHED_OUT


@pytest.mark.parametrize("count", BAD_COUNTS)
def test_a_form_without_its_count_marks_nothing(signed_in: Client, count: dict[str, str]) -> None:
    lead = LeadFactory.create()
    fields = hidden_fields(signed_in.get(address(lead)).text, having="submission_count")
    answer = signed_in.post(address(lead, "/reached-out"), data={"csrf_token": fields["csrf_token"], **count})
    assert (answer.status_code, stored().status) == (422, LeadStatus.PENDING)
    assert not re.search("required|valid", words(answer))


@pytest.mark.parametrize("count", ["0", "-1", "9" * 10, "9" * 30])
def test_a_count_that_nobody_showed_marks_nothing(signed_in: Client, count: str) -> None:
    lead = LeadFactory.create()
    fields = hidden_fields(signed_in.get(address(lead)).text, having="submission_count")
    answer = signed_in.post(address(lead, "/reached-out"), data=fields | {"submission_count": count})
    assert answer.status_code in (409, 422)
    assert stored().status == LeadStatus.PENDING


def test_a_resume_is_downloaded_byte_for_byte(signed_in: Client) -> None:
    lead = LeadFactory.create(submission__content=samples.pdf("first"), created_at=NOON)
    newer = SubmissionFactory.create(lead=lead, content=samples.doc(), filename="cv.doc", created_at=now())
    page = signed_in.get(address(lead)).text
    links = re.findall(r'href="([^"]+/submissions/[^"]+/resume)"', page)
    assert [signed_in.get(link).data for link in links] == [samples.doc(), samples.pdf("first")]
    answer = signed_in.get(address(lead, "/resume"))
    assert answer.data == samples.doc()
    assert answer.headers["Content-Disposition"] == f"attachment; filename={newer.filename}"
    assert kinds().count("downloaded") == 3


@pytest.mark.databases("sqlite")
def test_an_unknown_lead_is_told_on_a_page(signed_in: Client) -> None:
    lead, other = Lead(id=uuid.uuid4()), SubmissionFactory.create()
    paths = [address(lead), address(lead, "/resume"), address(other.lead, f"/submissions/{uuid.uuid4()}/resume")]
    for path in paths:
        answer = signed_in.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert "There is no such" in words(answer)
    fields: dict[str, Any] = hidden_fields(signed_in.get(address(other.lead)).text, having="submission_count")
    assert signed_in.post(address(lead, "/reached-out"), data=fields).status_code == 404


def test_a_missing_file_is_told_on_a_page_and_the_lead_still_opens(app: Flask, signed_in: Client) -> None:
    lead = LeadFactory.create()
    Path(app.config["UPLOAD_DIR"], lead.newest.storage_key).unlink()
    answer = signed_in.get(address(lead, "/resume"))
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "The file of this resume cannot be found in storage" in words(answer)
    assert signed_in.get(address(lead)).status_code == 200
    assert "downloaded" not in kinds()
