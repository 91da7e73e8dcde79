"""The form cannot be used to flood a mailbox or to e-mail many third parties."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import queue
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from tests import samples
from tests.clients import Client, new_client
from tests.integration.desk import deliver
from tests.integration.together import THREADS, together
from tests.pages import hidden_fields
from tests.servers import MailServer

HOUR = timedelta(hours=1)
REFERENCE = re.compile("LD-[0-9A-Z]{4}-[0-9A-Z]{4}")
RESUME = samples.pdf()
CONFIRMATIONS = select(Letter).where(Letter.kind == "confirmation")


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with its limit on recipients per network."""
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", True)
    return app


def fields(email: str) -> dict[str, Any]:
    resume = (io.BytesIO(RESUME), "cv.pdf")
    return {"first_name": "Ana", "last_name": "Ruiz", "email": email, "resume": resume}


def submit(client: Client, email: str, address: str = "192.0.2.7") -> TestResponse:
    where = {"REMOTE_ADDR": address}
    return client.post("/api/v1/leads", data=fields(email), environ_base=where)


def submit_some(client: Client, numbers: range) -> list[int]:
    return [submit(client, f"ana{number}@example.com").status_code for number in numbers]


def hours_to_wait() -> list[float]:
    """Return the hours until each unsent confirmation is due, sorted."""
    unsent = CONFIRMATIONS.where(Letter.sent_at.is_(None))
    due = db.session.scalars(unsent).all()
    waits = [(letter.next_at - now()) / HOUR for letter in due if letter.next_at]
    return sorted(max(0, round(wait, 1)) for wait in waits)


def test_tags_do_not_make_a_mailbox_many(client: Client) -> None:
    for number in range(7):
        assert submit(client, f"Ana+{number}@example.com").status_code == 201
    recipients = db.session.scalars(CONFIRMATIONS).all()
    assert sorted(letter.recipient for letter in recipients) == [
        f"Ana+{number}@example.com" for number in range(5)
    ]
    submit(client, "joe@example.com")
    assert len(db.session.scalars(CONFIRMATIONS).all()) == 6
    with time_machine.travel(now() + HOUR + timedelta(minutes=1), tick=False):
        submit(client, "ana@example.com")
    assert len(db.session.scalars(CONFIRMATIONS).all()) == 7


def test_tags_at_one_instant_are_one_mailbox(app: Flask) -> None:
    answers = together(lambda number: submit(new_client(app), f"ana+{number}@example.com"))
    assert [answer.status_code for answer in answers] == [201] * THREADS
    assert len(db.session.scalars(CONFIRMATIONS).all()) == 5


def test_thirty_recipients_an_hour_get_theirs_at_once_and_others_later(
    limited: Flask, client: Client, mailbox: MailServer
) -> None:
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        assert submit_some(client, range(65)) == [201] * 65
        assert hours_to_wait() == [0] * 30 + [1] * 30 + [2] * 5
        for delivered, waiting in ((30, 35), (60, 5), (65, 0)):
            deliver()
            sent = {letter.recipients[0] for letter in mailbox.messages}
            assert len(sent.difference(limited.config["ATTORNEY_EMAIL"])) == delivered
            assert len(hours_to_wait()) == waiting
            clock.shift(HOUR)


@pytest.mark.databases("sqlite")
def test_a_known_recipient_waits_as_a_new_one_does(limited: Flask, client: Client) -> None:
    submit(client, "known@example.com", address="198.51.100.9")
    with time_machine.travel(now() + 2 * HOUR, tick=False):
        submit_some(client, range(30))
        submit(client, "known@example.com")
        submit(client, "new@example.com")
        for recipient in ("known@example.com", "new@example.com"):
            latest = select(func.max(Letter.next_at)).where(Letter.recipient == recipient)
            assert db.session.scalar(latest) == now() + HOUR


@pytest.mark.databases("sqlite")
def test_another_network_and_a_known_recipient_of_this_hour_do_not_wait(
    limited: Flask, client: Client
) -> None:
    submit_some(client, range(30))
    submit(client, "ana29@example.com")
    submit(client, "ana29+again@example.com")
    submit(client, "joe@example.com", address="198.51.100.9")
    assert hours_to_wait() == [0] * 33
    submit(client, "mia@example.com")
    assert hours_to_wait() == [0] * 33 + [1]


def test_recipients_at_one_instant_are_counted_exactly(limited: Flask, client: Client) -> None:
    submit_some(client, range(26))

    def act(number: int) -> int:
        return submit(new_client(limited), f"joe{number}@example.com").status_code

    assert together(act) == [201] * THREADS
    assert hours_to_wait() == [0] * 30 + [1] * 4


def told(answer: TestResponse) -> tuple[int, list[str]]:
    return answer.status_code, [name for name, _ in answer.headers]


def test_the_answer_does_not_show_that_a_confirmation_waits(limited: Flask, client: Client) -> None:
    def send_form(email: str) -> tuple[TestResponse, TestResponse]:
        form: dict[str, Any] = hidden_fields(client.get("/").text, having="email")
        form.update(fields(email))
        where = {"REMOTE_ADDR": "192.0.2.7"}
        sent = client.post("/", data=form, environ_base=where)
        return sent, client.get(sent.location)

    with time_machine.travel(now(), tick=False):
        api, form = submit(client, "api1@example.com"), send_form("form1@example.com")
        submit_some(client, range(28))
        api_later, form_later = submit(client, "api2@example.com"), send_form("form2@example.com")
        assert hours_to_wait() == [0] * 30 + [1] * 2
    masked = dict(api.get_json(), id="", email="")
    assert masked == dict(api_later.get_json(), id="", email="")
    assert told(api) == told(api_later)
    assert told(form[0]) == told(form_later[0])
    page = REFERENCE.sub("", form[1].text)
    assert page == REFERENCE.sub("", form_later[1].text)


@pytest.mark.databases("sqlite")
def test_a_confirmation_that_waits_for_its_hour_is_not_late(
    limited: Flask, client: Client, mailbox: MailServer
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        submit_some(client, range(31))
        deliver()
        assert queue.read_state() == (1, 0, timedelta())
        clock.shift(timedelta(minutes=59))
        assert queue.read_state().oldest_waiting == timedelta()
        clock.shift(timedelta(minutes=6))
        assert queue.read_state().oldest_waiting == timedelta(minutes=5)


def test_networks_of_recipients_are_forgotten_after_some_hours(
    limited: Flask, client: Client
) -> None:
    submit(client, "ana@example.com")
    kept = select(Letter.network).where(Letter.kind == "confirmation")
    digest = db.session.scalars(kept).one()
    assert len(str(digest)) == 64
    maintenance.sweep()
    assert db.session.scalars(kept).one() == digest
    with time_machine.travel(now() + 2 * HOUR + timedelta(minutes=1), tick=False):
        maintenance.sweep()
    assert db.session.scalars(kept).one() is None


@pytest.mark.databases("sqlite")
def test_the_page_of_a_lead_shows_when_a_confirmation_leaves(
    limited: Flask, client: Client, signed_in: Client
) -> None:
    with time_machine.travel(now(), tick=False):
        submit_some(client, range(30))
        lead_id = submit(client, "mia@example.com").get_json()["id"]
        page = signed_in.get(f"/dashboard/leads/{lead_id}").text
        due = f"{now() + HOUR:%Y-%m-%dT%H:%M}"
    assert re.search(rf"To be sent</span>\s*<time datetime=\"{due}", page)
