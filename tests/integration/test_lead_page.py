"""A lead's page: facts, submissions, e-mails, history, the mark and the resume."""

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.formatting import when
from leadapp.models.accounts import User
from leadapp.models.leads import Lead, LeadStatus
from leadapp.resumes.store import store
from tests import samples
from tests.clients import Client
from tests.factories import EventFactory, LeadFactory, LetterFactory, SubmissionFactory
from tests.integration.desk import address, kinds, mark, stored
from tests.pages import hidden_fields, words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTERS: dict[str, dict[str, object]] = {
    "Sent 1 Mar 2026, 12:00": {"sent_at": NOON, "next_at": None},
    "Failed 1st try 550 Nobody of this name": {
        "next_at": None,
        "attempts": 1,
        "reason": "550 Nobody of this name",
    },
    "Next try 1 Mar 2026, 12:00 451 Later": {"next_at": NOON, "attempts": 2, "reason": "451 Later"},
    "To be sent": {"next_at": NOON},
    "Being sent": {"next_at": NOON, "attempts": 1, "token": uuid.uuid4()},
}
# Wrong submission counts that a form may send, and the statuses allowed for each.
UNSEEN = {
    None: [422],
    "": [422],
    "x": [422],
    "1.5": [422],
    "0": [409, 422],
    "9" * 10: [409, 422],
    "9" * 30: [409, 422],
}


def mark_of(lead: Lead) -> tuple[object, ...]:
    """Returns the columns that a mark sets."""
    return (lead.reached_out_at, lead.reached_out_by, lead.updated_at)


def test_a_page_holds_all_that_is_known_of_a_lead(signed_in: Client) -> None:
    lead = LeadFactory.create(
        first_name="Ana", last_name="<b>Ruiz", email="ana@example.com", created_at=NOON
    )
    newer = SubmissionFactory.create(
        lead=lead,
        created_at=NOON + timedelta(hours=1),
        first_name="Anita",
        filename="new.docx",
        warnings=["has macros"],
    )
    older = lead.submissions[1]
    page = words(signed_in.get(address(lead)).text)
    facts = [
        "Ana <b>Ruiz",
        lead.reference,
        "ana@example.com",
        "1 Mar 2026, 12:00",
        "2nd submission",
        "new.docx DOCX, ",
        "has macros",
        newer.sha256,
        "cv.pdf PDF, ",
        older.sha256,
    ]
    for part in facts:
        assert part in page
    assert page.index("Anita") < page.index("1st submission")


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("state", LETTERS)
def test_each_letter_tells_its_state(signed_in: Client, state: str) -> None:
    lead = LeadFactory.create()
    columns = LETTERS[state]
    LetterFactory.create(submission=lead.newest, recipient="joe@example.com", **columns)
    assert f"joe@example.com State {state}" in words(signed_in.get(address(lead)).text)


def test_the_history_tells_who_did_what_in_order(
    signed_in: Client, second: Client, attorney: User
) -> None:
    lead = LeadFactory.create()
    me = f"by {attorney.username}"
    EventFactory.create(lead=lead)
    signed_in.get(address(lead), headers={"X-Request-ID": "abc-1"})
    signed_in.get(address(lead, "/resume"))
    mark(second, second.get(address(lead)))
    assert kinds() == ["submitted", "viewed", "downloaded", "viewed", "marked"]
    page = signed_in.get(address(lead)).text
    _, _, story = page.partition("History</h2>")
    told = []
    for item in re.findall("<li>.*?</li>", story, re.DOTALL):
        shown = words(item)
        told.append([part for part in (me, "by Bo", "abc-1") if part in shown])
    assert told == [
        [],
        [me, "abc-1"],
        [me],
        ["by Bo"],
        ["by Bo"],
        [me],  # this view
    ]


def test_looking_changes_nothing_of_the_lead(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    for path in (address(lead), address(lead, "/resume")):
        signed_in.get(path)
    assert stored().updated_at == NOON
    assert stored().status == LeadStatus.PENDING
    assert stored().seen_at is not None


def test_marking_is_seen_on_the_page(signed_in: Client, attorney: User) -> None:
    LeadFactory.create(first_name="Ana", last_name="Ruiz")
    answer = mark(signed_in, signed_in.get("/dashboard/"))
    assert answer.status_code == 303
    assert answer.location == address(stored())
    page = words(signed_in.get(answer.location).text)
    assert "Ana Ruiz is marked as reached out" in page
    reached_out_at = stored().reached_out_at
    assert reached_out_at is not None
    assert f"Reached out {when(reached_out_at)} by {attorney.username}" in page
    assert "Mark as reached out" not in page
    assert stored().status == LeadStatus.REACHED_OUT
    assert stored().reached_out_by == attorney.id
    assert stored().updated_at == stored().reached_out_at


def test_a_second_attorney_reads_who_marked_it(
    signed_in: Client, second: Client, attorney: User
) -> None:
    lead = LeadFactory.create()
    shown = second.get(address(lead))
    mark(signed_in, signed_in.get(address(lead)))
    first = mark_of(stored())
    answer = mark(second, shown)
    assert answer.status_code == 303
    reached_out_at = stored().reached_out_at
    assert reached_out_at is not None
    already = f"Already marked by {attorney.username} at {when(reached_out_at)}"
    assert already in words(second.get(answer.location).text)
    assert mark_of(stored()) == first
    assert kinds().count("marked") == 1


def test_two_attorneys_at_one_instant_are_one_change(signed_in: Client, second: Client) -> None:
    path = address(LeadFactory.create())
    browsers = (signed_in, second)
    pages = [(browser, browser.get(path)) for browser in browsers]
    start = threading.Barrier(2)

    def press(shown: tuple[Client, TestResponse]) -> str:
        browser, page = shown
        start.wait(10)
        answer = mark(browser, page)
        return words(browser.get(answer.location).text)

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(press, pages))
    for part in ("is marked as reached out", "Already marked by"):
        assert sorted(part in page for page in told) == [False, True]
    assert kinds().count("marked") == 1


def test_a_newer_submission_is_shown_before_a_lead_is_marked(signed_in: Client) -> None:
    lead = LeadFactory.create()
    shown = signed_in.get(address(lead))
    SubmissionFactory.create(lead=lead, filename="newer.pdf", created_at=now())
    answer = mark(signed_in, shown)
    assert answer.status_code == 409
    assert all(
        part in words(answer.text)
        for part in ("A newer submission has arrived; review it first", "newer.pdf")
    )
    assert stored().status == LeadStatus.PENDING
    assert "marked" not in kinds()
    assert mark(signed_in, answer).status_code == 303
    assert stored().status == LeadStatus.REACHED_OUT


@pytest.mark.parametrize("count", UNSEEN)
def test_a_form_that_nobody_was_shown_marks_nothing(signed_in: Client, count: str | None) -> None:
    page = signed_in.get(address(LeadFactory.create()))
    answer = mark(signed_in, page, submission_count=count)
    assert answer.status_code in UNSEEN[count]
    assert stored().status == LeadStatus.PENDING
    assert not re.search("required|valid", words(answer.text))


def test_a_resume_is_downloaded_byte_for_byte(signed_in: Client) -> None:
    lead = LeadFactory.create(submission__content=samples.pdf("first"), created_at=NOON)
    second = samples.doc()
    SubmissionFactory.create(lead=lead, content=second, filename="cv.doc", created_at=now())
    page = signed_in.get(address(lead)).text
    links = re.findall(r'href="([^"]+/submissions/[^"]+/resume)"', page)
    files = [signed_in.get(link).data for link in links]
    assert files == [second, samples.pdf("first")]
    newest = signed_in.get(address(lead, "/resume"))
    assert newest.data == second
    assert newest.headers["Content-Disposition"] == "attachment; filename=cv.doc"
    assert kinds().count("downloaded") == 3


@pytest.mark.databases("sqlite")
def test_an_unknown_lead_is_told_on_a_page(signed_in: Client) -> None:
    nobody = Lead(id=uuid.uuid4())
    lead = LeadFactory.create()
    for path in (
        address(nobody),
        address(nobody, "/resume"),
        address(lead, f"/submissions/{uuid.uuid4()}/resume"),
    ):
        answer = signed_in.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert "was not found" in words(answer.text)
    page = signed_in.get(address(lead)).text
    fields = hidden_fields(page, having="submission_count")
    answer = signed_in.post(address(nobody, "/reached-out"), data=fields)
    assert answer.status_code == 404


def test_a_missing_file_is_told_on_a_page_and_the_lead_still_opens(signed_in: Client) -> None:
    lead = LeadFactory.create()
    store.delete(lead.newest.storage_key)
    answer = signed_in.get(address(lead, "/resume"))
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "The file of this resume is missing from storage" in words(answer.text)
    assert signed_in.get(address(lead)).status_code == 200
    assert "downloaded" not in kinds()
