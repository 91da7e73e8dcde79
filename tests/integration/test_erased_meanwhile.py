"""A request gets a 404 if the lead is erased between its read and its write."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import erasure
from leadapp.models.leads import Event, Lead
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory
from tests.pages import hidden_fields

PAGE, API = "/dashboard/leads", "/api/v1/leads"
READS = [PAGE + "/{}", PAGE + "/{}/resume", PAGE + "/{}/preview", API + "/{}", API + "/{}/resume"]


@contextmanager
def erased_before(app: Flask, lead_id: uuid.UUID, *starts: str) -> Iterator[None]:
    """Erase the lead in another thread before the first statement with one of these starts."""
    left = [lead_id]

    def erase() -> None:
        with app.app_context():
            assert erasure.erase(left.pop())

    def step_in(_connection: Any, statement: Any, *_rest: Any) -> None:
        if left and str(statement).startswith(starts) and threading.current_thread() is reader:
            colleague = threading.Thread(target=erase)
            colleague.start()
            colleague.join()

    reader = threading.current_thread()
    # `before_execute` comes before the write lock is taken.
    event.listen(db.engine, "before_execute", step_in)
    yield
    event.remove(db.engine, "before_execute", step_in)
    assert left == []


@pytest.fixture
def lead() -> Lead:
    return LeadFactory.create()


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("path", READS)
def test_who_opens_it_is_answered_that_it_is_gone(
    app: Flask, signed_in: Client, bearer: dict[str, str], lead: Lead, path: str, seen: bool
) -> None:
    if seen:
        lead.seen_at = now()
        db.session.commit()
    headers = bearer if path.startswith(API) else {}
    with erased_before(app, lead.id, "INSERT", "UPDATE"):
        answer = signed_in.get(path.format(lead.id), headers=headers)
    assert answer.status_code == 404
    assert "This lead was not found" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Event)) == 0


# SQLite takes the write lock one statement earlier, and then finds no letter.
@pytest.mark.databases("postgres")
def test_who_sends_its_letter_again_is_answered_that_it_is_gone(
    app: Flask, signed_in: Client, lead: Lead
) -> None:
    sent = LetterFactory.create(submission=lead.newest, sent_at=now(), next_at=None)
    page = signed_in.get(f"{PAGE}/{lead.id}").text
    action = f"{PAGE}/{lead.id}/letters/{sent.id}/send"
    fields = hidden_fields(page, action="/send")
    with erased_before(app, lead.id, "INSERT INTO letters"):
        answer = signed_in.post(action, data=fields)
    assert answer.status_code == 404
    assert "This lead was not found" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Letter)) == 0
