"""A long lead in parts: the newest entries and submissions, and all of them in pages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.leads.history import ENTRIES_MAX
from leadapp.leads.letters import LETTERS_MAX
from leadapp.models.accounts import User
from leadapp.models.leads import LATEST_MAX, Lead
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.crowd import lengthen
from tests.factories import EventFactory, LeadFactory, LetterFactory, SubmissionFactory
from tests.integration.desk import address, press
from tests.integration.test_history import story
from tests.pages import words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FROM_LIST = "status=&q=Ana&page=1"


def link(page: TestResponse, text: str) -> str:
    """Return the URL of the only link with this text."""
    found = []
    for href, inner in re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', page.text, re.DOTALL):
        if words(inner) == text:
            found.append(unescape(href))
    assert len(found) == 1, (text, found)
    return str(found[0])


def follow(browser: Client, page: TestResponse, text: str) -> TestResponse:
    """Open the only link with this text."""
    url = link(page, text)
    if url.startswith("?"):
        url = page.request.path + url
    answer = browser.get(url)
    assert answer.status_code == 200
    return answer


def lines(page: TestResponse) -> list[str]:
    return re.findall(r"<li>.*?</li>", page.text, re.DOTALL)


def numbers(page: TestResponse) -> list[int]:
    """Return the numbers of the submissions that a page shows."""
    return [int(number) for number in re.findall(r'id="submission-(\d+)"', page.text)]


@pytest.fixture
def lead(signed_in: Client) -> Lead:
    """A lead with 45 submissions, 90 sent e-mails, 45 + 100 events and an export of it."""
    lead = LeadFactory.create(first_name="Ana", created_at=NOON)
    EventFactory.create(lead=lead, created_at=NOON)
    lengthen(lead, submissions=44, events=100)
    for days in (-1, 1):
        export: dict[str, Any] = {"lead": None, "lead_id": None, "kind": "exported"}
        EventFactory.create(created_at=NOON + timedelta(days=days), **export)
    signed_in.get(address(lead))  # one more event
    return lead


def test_a_short_lead_is_whole(signed_in: Client) -> None:
    lead = LeadFactory.create()
    page = words(signed_in.get(address(lead)).text)
    assert "Show" not in page
    for part in ("history", "submissions"):
        page = words(signed_in.get(address(lead, f"/{part}")).text)
        assert f"{part.title()} of {lead.full_name}" in page
        assert "Page" not in page


def test_the_pages_of_the_history_have_each_entry_once(signed_in: Client, lead: Lead) -> None:
    first = signed_in.get(f"{address(lead)}?{FROM_LIST}")
    assert len(lines(first)) == ENTRIES_MAX
    page = follow(signed_in, first, "Show the whole history")
    assert lines(page) == lines(first)
    told = lines(page)
    for count in (ENTRIES_MAX, ENTRIES_MAX, ENTRIES_MAX, 35):
        page = follow(signed_in, page, "Older entries")
        assert len(lines(page)) == count
        told = lines(page) + told
    assert 'rel="next"' not in page.text
    # 45 submitted, 100 others, 88 sent e-mails, one export and one view.
    assert len(told) == 45 + 100 + 88 + 1 + 1
    times = [re.findall(r'datetime="([^"]+)"', line) for line in told]
    assert times == sorted(times)
    assert "Details and resume received" in told[0]
    previous = follow(signed_in, page, "Newer entries")
    assert words(previous.text).count("Page 4") == 1
    assert link(page, f"← {lead.full_name}") == f"{address(lead)}?status=&q=Ana&page=1"


def test_the_pages_of_the_submissions_have_each_once(signed_in: Client, lead: Lead) -> None:
    first = signed_in.get(f"{address(lead)}?{FROM_LIST}")
    assert numbers(first) == list(range(45, 25, -1))
    assert first.text.count("Sent</span>") == 2 * LATEST_MAX
    page = follow(signed_in, first, "Show all 45 submissions")
    assert numbers(page) == numbers(first)
    shown = numbers(page)
    for _ in range(2):
        page = follow(signed_in, page, "Older submissions")
        shown += numbers(page)
    assert shown == list(range(45, 0, -1))
    assert "41 to 45 of 45, newest first" in words(page.text)
    assert page.text.count("Sent</span>") == 4 * 2
    sent = press(signed_in, page, "/send")
    assert sent.location == f"{address(lead)}?status=&q=Ana&page=1"


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("part", ["history", "submissions"])
def test_a_page_past_the_end_leads_back(signed_in: Client, lead: Lead, part: str) -> None:
    path = address(lead, f"/{part}")
    answer = signed_in.get(f"{path}?page=1000000&back=status%3D")
    end = 3 if part == "submissions" else 1
    assert (answer.status_code, answer.location) == (302, f"{path}?page={end}&back=status%3D")
    for query in ("page=0", "page=x", "page=1000001", "colour=red", "back=lead_id%3D1", "size=5"):
        assert signed_in.get(f"{path}?{query}").status_code == 422, query
    assert signed_in.get(f"{path}?page=&back=").status_code == 200
    unknown = Lead(id=lead.newest.id)
    assert signed_in.get(address(unknown, f"/{part}")).status_code == 404


def test_an_old_email_that_was_sent_late_is_in_the_history(signed_in: Client, lead: Lead) -> None:
    lengthen(lead, submissions=10, events=0)
    late = NOON + timedelta(days=300)
    oldest = min(lead.submissions, key=lambda sent: sent.number)
    LetterFactory.create(submission=oldest, kind="erasure", sent_at=late, next_at=None)
    for part, is_there in (("", False), ("/history", True)):
        told = story("History</h2>" + signed_in.get(address(lead, part)).text.partition("<h1")[2])
        assert any("Erasure request sent" in line for line in told) == is_there


@pytest.mark.parametrize(
    ("numbers_of_failed", "notice", "text"),
    [
        ([1], "1 e-mail about earlier submissions has failed.", "See the reason and send it again"),
        (
            [1, 21],
            "2 e-mails about earlier submissions have failed.",
            "See the newest of them and send it again",
        ),
    ],
)
def test_failed_emails_of_earlier_submissions_are_noticed(
    signed_in: Client, lead: Lead, numbers_of_failed: list[int], notice: str, text: str
) -> None:
    for submission in lead.submissions:
        if submission.number in numbers_of_failed:
            LetterFactory.create(submission=submission, next_at=None, reason="550 Unknown")
    page = signed_in.get(address(lead))
    assert notice in words(page.text)
    assert "waiting." not in words(page.text)
    assert "550 Unknown" in follow(signed_in, page, text).text


@pytest.mark.parametrize(
    ("numbers_of_waiting", "notice", "text"),
    [
        ([3], "1 e-mail about earlier submissions is waiting.", "See when it will be sent"),
        (
            [3, 4, 5],
            "3 e-mails about earlier submissions are waiting.",
            "See when the newest of them will be sent",
        ),
    ],
)
def test_waiting_emails_of_earlier_submissions_are_noticed(
    signed_in: Client, lead: Lead, numbers_of_waiting: list[int], notice: str, text: str
) -> None:
    for submission in lead.submissions:
        if submission.number in numbers_of_waiting:
            LetterFactory.create(submission=submission, next_at=NOON)
    page = signed_in.get(address(lead))
    assert notice in words(page.text)
    assert "failed" not in words(page.text)
    assert "To be sent" in follow(signed_in, page, text).text


def test_failed_and_waiting_emails_have_a_notice_each(signed_in: Client, lead: Lead) -> None:
    oldest = min(lead.submissions, key=lambda sent: sent.number)
    LetterFactory.create(submission=oldest, next_at=None, reason="550 Unknown")
    LetterFactory.create(submission=oldest, next_at=NOON)
    shown = words(signed_in.get(address(lead)).text)
    assert "1 e-mail about earlier submissions has failed." in shown
    assert "1 e-mail about earlier submissions is waiting." in shown


def test_the_emails_of_a_page_are_limited_and_unsent_ones_come_first(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    for minute in range(LETTERS_MAX):
        LetterFactory.create(
            submission=lead.newest,
            created_at=NOON + timedelta(minutes=minute),
            sent_at=NOON,
            next_at=None,
        )
    db.session.execute(
        update(Letter).where(Letter.created_at == NOON).values(sent_at=None, reason="550 Unknown")
    )
    LetterFactory.create(submission=lead.newest, sent_at=NOON, next_at=None)
    page = signed_in.get(address(lead)).text
    assert page.count("<tr>") - 1 == LETTERS_MAX
    assert page.count("550 Unknown") == 1
    assert page.index("550 Unknown") > page.rindex("Sent</span>")


def test_a_script_reads_all_submissions_in_pages(
    client: Client, bearer: dict[str, str], lead: Lead
) -> None:
    read = client.get(f"/api/v1/leads/{lead.id}", headers=bearer).get_json()
    assert read["submission_count"] == 45
    path = read["submissions_path"]
    first = client.get(path, headers=bearer)
    assert first.get_json()["items"] == read["submissions"]
    assert len(read["submissions"]) == LATEST_MAX
    expected = {"total": 45, "page": 1, "size": LATEST_MAX, "pages": 3}
    assert first.get_json().items() >= expected.items()
    found = []
    url = f"{path}?size=30"
    for count in (30, 15):
        answer = client.get(url, headers=bearer)
        items = answer.get_json()["items"]
        assert len(items) == count
        found += [item["id"] for item in items]
        following = re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"])
        url = following[1] if following else ""
    assert url == ""
    newest_first = sorted(lead.submissions, key=lambda sent: -sent.number)
    assert found == [str(sent.id) for sent in newest_first]
    assert client.get(f"{path}?page=9", headers=bearer).get_json()["items"] == []
    for query in ("page=0", "size=101", "q=x"):
        assert client.get(f"{path}?{query}", headers=bearer).status_code == 422


def test_each_submission_and_email_has_a_name_of_its_own(signed_in: Client, attorney: User) -> None:
    lead = LeadFactory.create()
    for _ in range(3):
        submission = SubmissionFactory.create(lead=lead)
        LetterFactory.create(submission=submission, sent_at=NOON, next_at=None)
    page = signed_in.get(address(lead)).text
    pressed = re.findall(r"<(?:a|button|summary)\b[^>]*>(.*?)</(?:a|button|summary)>", page, re.S)
    names = [words(inner) for inner in pressed]
    assert len(names) == len(set(names))
