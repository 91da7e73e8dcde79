"""Simultaneous requests get the same answers as consecutive ones, on both databases."""

import fcntl
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from leadapp.accounts import registration
from leadapp.errors import InvalidInput
from leadapp.extensions import db
from leadapp.leads import status
from leadapp.mail import confirmations, delivery, queue
from leadapp.models.accounts import User
from leadapp.models.columns import Base
from leadapp.models.leads import Event, Lead, Submission
from leadapp.models.letters import Letter
from tests import samples
from tests.factories import LeadFactory, LetterFactory, UserFactory
from tests.integration.desk import deliver
from tests.integration.together import THREADS, together
from tests.pages import hidden_fields
from tests.servers import MailServer

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


def count(table: type[Base]) -> int:
    number = select(func.count()).select_from(table)
    return db.session.scalar(number) or 0


def good(**changed: str) -> dict[str, Any]:
    """Returns the fields of a submission, with its file."""
    fields: dict[str, Any] = dict(GOOD)
    fields["resume"] = (io.BytesIO(samples.pdf()), "cv.pdf")
    fields.update(changed)
    return fields


@pytest.mark.parametrize("round_", range(5))
def test_eight_of_one_new_address_are_one_lead(app: Flask, round_: int) -> None:
    def act(number: int) -> TestResponse:
        data = good(first_name=f"Ana {number}")
        return app.test_client().post("/api/v1/leads", data=data)

    answers = together(act)
    assert [answer.status_code for answer in answers] == [201] * THREADS
    ids = {answer.get_json()["id"] for answer in answers}
    assert len(ids) == 1
    assert count(Lead) == 1
    assert count(Submission) == THREADS
    assert count(Letter) == THREADS + confirmations.PER_HOUR
    assert db.session.scalar(select(Lead.submission_count)) == THREADS


@pytest.mark.parametrize("round_", range(5))
def test_eight_of_one_form_are_one_submission(app: Flask, round_: int) -> None:
    start = app.test_client().get("/").text
    form = hidden_fields(start, having="email")
    answers = together(lambda _: app.test_client().post("/", data=good(**form)))
    assert [answer.status_code for answer in answers] == [303] * THREADS
    pages = [app.test_client().get(answer.location) for answer in answers]
    assert len({page.text for page in pages}) == 1
    assert count(Lead) == 1
    assert count(Submission) == 1
    assert count(Letter) == 2
    assert db.session.scalar(select(Lead.submission_count)) == 1


def test_eight_of_one_key_are_one_submission_for_each_content(app: Flask) -> None:
    def act(number: int) -> tuple[int, bool]:
        answer = app.test_client().post(
            "/api/v1/leads",
            data=good(first_name=f"Ana {number // 4}"),
            headers={"Idempotency-Key": "k-1"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number}"},
        )
        return answer.status_code, "Idempotency-Replayed" in answer.headers

    answers = sorted(together(act))
    assert answers == [(201, False)] * 2 + [(201, True)] * 6
    assert count(Submission) == 2


def test_eight_contents_of_one_key_and_network_are_one_submission(app: Flask) -> None:
    def act(number: int) -> int:
        data = good(first_name=f"Ana {number}", email=f"ana{number}@example.com")
        key = {"Idempotency-Key": "k-1"}
        answer = app.test_client().post("/api/v1/leads", data=data, headers=key)
        return answer.status_code

    statuses = sorted(together(act))
    assert statuses == [201] + [422] * (THREADS - 1)
    assert count(Submission) == 1


def test_eight_attorneys_mark_one_lead_once(app: Flask) -> None:
    lead = LeadFactory.create()
    users = [UserFactory.create() for _ in range(THREADS)]
    lead_id = lead.id
    ids = [user.id for user in users]

    def act(number: int) -> bool:
        with app.app_context():
            user = db.session.get_one(User, ids[number])
            return status.mark_reached_out(lead_id, user, 1).is_new

    marked = sorted(together(act))
    assert marked == [False] * (THREADS - 1) + [True]
    assert count(Event) == 1


def test_eight_of_one_username_are_one_account(app: Flask) -> None:
    def act(number: int) -> str:
        with app.app_context():
            email = f"ana{number}@example.com"
            try:
                user = registration.create("Ana", email, "Correct-horse-7")
            except InvalidInput as refused:
                return str(refused)
            return user.username

    answers = together(act)
    taken = "An account with this username already exists"
    assert sorted(answers) == [taken] * (THREADS - 1) + ["Ana"]
    assert count(User) == 1


def test_eight_who_send_a_failed_letter_again_send_one(app: Flask) -> None:
    letter = LetterFactory.create(next_at=None, attempts=1, reason="554 Spam")
    letter_id = letter.id

    def act(_: int) -> bool:
        with app.app_context():
            again = queue.send_again(letter_id)
            db.session.commit()
            return again

    sent = sorted(together(act))
    assert sent == [False] * (THREADS - 1) + [True]
    db.session.expire_all()
    attempts = db.session.scalars(select(Letter.attempts)).all()
    assert attempts == [0]


def test_eight_deliverers_send_each_letter_once(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CLAIMED_AT_ONCE", 2)  # so that each deliverer gets some
    client = app.test_client()
    for number in range(10):
        data = good(email=f"ana{number}@example.com")
        client.post("/api/v1/leads", data=data)

    def act(_: int) -> None:
        with app.app_context():
            deliver()

    together(act)
    assert len(mailbox.messages) == 20
    ids = {letter.message["Message-ID"] for letter in mailbox.messages}
    assert len(ids) == 20


@pytest.mark.databases("sqlite")
def test_writers_of_sqlite_take_turns(app: Flask) -> None:
    # The test holds the lock until the request waits for it.
    turn = open(f"{db.engine.url.database}.lock", "w")  # noqa: SIM115
    fcntl.flock(turn, fcntl.LOCK_EX)
    with ThreadPoolExecutor() as pool:
        client = app.test_client()
        sent = pool.submit(lambda: client.post("/api/v1/leads", data=good()))
        with pytest.raises(TimeoutError):
            sent.result(0.5)
        turn.close()
        assert sent.result(10).status_code == 201
