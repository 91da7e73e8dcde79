"""The history of a lead: its events in order, with user, time and request."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from leadapp.extensions import db
from leadapp.formatting import when
from leadapp.mail import delivery
from leadapp.models.accounts import User
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.factories import EventFactory, LeadFactory, LetterFactory
from tests.integration.desk import LIST, address, deliver, mark, press, stored, submit
from tests.pages import words
from tests.servers import MailServer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = {
    "submitted": "Details and resume received",
    "viewed": "Lead opened",
    "downloaded": "Resume downloaded",
    "previewed": "Resume previewed",
    "exported": "Exported in a list",
    "marked": "Marked as reached out",
    "undone": "Mark undone",
    "resubmitted": "Details and resume received again",
    "letter_again": "E-mail sent again",
    "erasure_asked": "Erasure requested",
    "something_new": "Something_new",
}


def story(page: str) -> list[str]:
    """Return the lines of the history as a reader sees them."""
    history = page.partition("History</h2>")[2]
    items = re.findall("<li>(.*?)</li>", history, re.DOTALL)
    return [words(item) for item in items]


def test_every_kind_is_shown_in_words_and_in_order(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    for minutes, kind in reversed(list(enumerate(KINDS))):
        fields: dict[str, Any] = {
            "lead": lead,
            "kind": kind,
            "created_at": NOON + timedelta(minutes=minutes),
            "request_id": f"id-{minutes}",
            "user_id": None,
        }
        if kind == "exported":
            fields.update(lead=None, lead_id=None)
        EventFactory.create(**fields)
    for sent_after, kind in ((2.5, "confirmation"), (3.5, "notice"), (9.5, "erasure")):
        sent = {"sent_at": NOON + timedelta(minutes=sent_after), "next_at": None}
        LetterFactory.create(submission=lead.newest, kind=kind, **sent)
    shown = story(signed_in.get(address(lead)).text)[:-1]
    expected = [
        f"1 Mar 2026, 12:{minute:02} {text} Request id-{minute}"
        for minute, text in enumerate(KINDS.values())
    ]
    expected.insert(3, "1 Mar 2026, 12:02 Confirmation sent")
    expected.insert(5, "1 Mar 2026, 12:03 Notice sent to the firm")
    expected.insert(12, "1 Mar 2026, 12:09 Erasure request sent to the firm")
    assert shown == expected


def test_a_whole_story_is_written_as_it_happens(
    signed_in: Client, attorney: User, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The e-mails leave one after the other.
    monkeypatch.setattr(delivery, "FEWEST", 1)
    monkeypatch.setattr(delivery, "PER_SECOND", 0)
    submit(signed_in, "ana@example.com")
    deliver()
    lead = stored()
    path, newest = address(lead), f"/submissions/{lead.newest.id}"
    for ending in ("", "/resume", "/preview", f"{newest}/resume", f"{newest}/preview"):
        assert signed_in.get(path + ending).status_code == 200
    signed_in.get(f"{LIST}export.csv")
    marked = mark(signed_in, signed_in.get(LIST))
    press(signed_in, signed_in.get(marked.location), "/undo")
    press(signed_in, signed_in.get(path), "/send")
    submit(signed_in, "ana@example.com")
    lines = story(signed_in.get(path).text)
    shown = [re.sub(r"^.*?\d\d:\d\d | Request .*", "", line) for line in lines]
    me = f" by {attorney.username}"
    assert shown == [
        "Details and resume received",
        "Confirmation sent",
        "Notice sent to the firm",
        f"Lead opened{me}",
        f"Resume downloaded{me}",
        f"Resume previewed{me}",
        f"Resume downloaded{me}",
        f"Resume previewed{me}",
        f"Exported in a list{me}",
        f"Marked as reached out{me}",
        f"Lead opened{me}",
        f"Mark undone{me}",
        f"Lead opened{me}",
        f"E-mail sent again{me}",
        "Details and resume received again",
        f"Lead opened{me}",
    ]


@pytest.mark.databases("sqlite")
def test_a_letter_that_waits_is_no_history(signed_in: Client) -> None:
    lead = LeadFactory.create()
    LetterFactory.create(submission=lead.newest)
    LetterFactory.create(submission=lead.newest, next_at=None, attempts=9, reason="554 Spam")
    lines = story(signed_in.get(address(lead)).text)
    shown = [re.sub(r".*?\d\d:\d\d ", "", line)[:11] for line in lines]
    assert shown == ["Lead opened"]
    assert len(db.session.scalars(select(Letter)).all()) == 2


@pytest.mark.databases("sqlite")
def test_a_letter_that_waits_is_not_queued_twice(signed_in: Client) -> None:
    lead = LeadFactory.create()
    letter = LetterFactory.create(
        submission=lead.newest, next_at=None, attempts=9, reason="554 Spam"
    )
    page = signed_in.get(address(lead))
    letter.next_at = NOON
    db.session.commit()
    assert press(signed_in, page, "/send").status_code == 303
    assert "E-mail sent again" not in words(signed_in.get(address(lead)).text)
    assert len(db.session.scalars(select(Letter)).all()) == 1


@pytest.mark.databases("sqlite")
def test_each_line_has_its_time_for_machines_too(signed_in: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    EventFactory.create(lead=lead, created_at=NOON)
    page = signed_in.get(address(lead)).text
    assert f'<time datetime="2026-03-01T12:00:00+00:00">{when(NOON)}</time>' in page
    assert "Times are in UTC" in words(page)
