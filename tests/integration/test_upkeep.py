"""Upkeep of unclaimed files, failed e-mails and waiting leads."""

import json
import threading
from datetime import timedelta

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from flask_mail import Message
from sqlalchemy import select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import smtp
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from leadapp.resumes.store import store
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory, SubmissionFactory, stored
from tests.integration.desk import deliver
from tests.pages import hidden_fields
from tests.samples import pdf
from tests.servers import MailServer
from tests.stored import keys, staged


def run(app: Flask, *arguments: str) -> Result:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=arguments)
    db.session.expire_all()
    return result


def sweep_in(app: Flask, hours: float) -> str:
    with time_machine.travel(now() + timedelta(hours=hours)):
        return run(app, "sweep").stdout


def test_the_sweep_deletes_only_files_that_no_submission_claimed(app: Flask) -> None:
    claimed = SubmissionFactory.create().storage_key
    forgotten = {stored(pdf(), ".pdf") for _ in range(3)}
    with store.stage() as half:
        half.write(b"%PDF-1.4")
    assert sweep_in(app, 1.9) == "deleted: 0\n"
    assert set(keys()) == {claimed}.union(forgotten)
    assert len(staged()) == 1
    assert sweep_in(app, 2.1) == "deleted: 3\n"
    assert keys() == [claimed]
    assert staged() == []


def test_the_sweep_leaves_alone_what_is_not_ours(app: Flask) -> None:
    with store.stage() as file:
        file.write(b"minutes of the board")
        store.keep(file, "minutes.pdf")
    assert sweep_in(app, 99) == "deleted: 0\n"
    assert keys() == ["minutes.pdf"]


@pytest.mark.databases("sqlite")
def test_the_sweep_goes_through_many_files_in_batches(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "BATCH", 2)
    claimed = {SubmissionFactory.create().storage_key for _ in range(3)}
    for _ in range(4):
        stored(pdf(), ".pdf")
    assert sweep_in(app, 9) == "deleted: 4\n"
    assert set(keys()) == claimed


@pytest.mark.databases("sqlite")
def test_a_deliverer_sweeps_too_and_outlives_a_failure(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, turns = threading.Event(), ["fails", "works"]

    def turn() -> None:
        if turns.pop(0) == "fails":
            raise OSError("gone")
        stopped.set()

    monkeypatch.setattr(maintenance, "SWEEP_SECONDS", 0)
    monkeypatch.setattr(maintenance, "sweep", turn)
    maintenance.run_until(stopped)
    assert turns == []


@pytest.mark.databases("sqlite")
def test_a_stop_does_not_wait_for_a_sweep(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    LetterFactory.create()
    stopped = threading.Event()
    sweeps: list[int] = []

    def stop_after_it(_message: Message) -> None:
        stopped.set()

    monkeypatch.setattr(smtp, "write", stop_after_it)
    monkeypatch.setattr(maintenance, "sweep", lambda: sweeps.append(1))
    maintenance.run_until(stopped)
    assert stopped.is_set()
    assert sweeps == []


def test_attorneys_are_reminded_of_waiting_leads(app: Flask, mailbox: MailServer) -> None:
    two_days_ago = now() - timedelta(days=2)
    long = LeadFactory.create(first_name="Zoë", created_at=two_days_ago)
    LeadFactory.create(created_at=now() - timedelta(hours=2))
    LeadFactory.create(reached_out=True, created_at=two_days_ago)
    assert run(app, "remind").stdout == "waiting: 1\n"
    [digest] = mailbox.messages
    text = digest.text
    assert digest.message["Subject"] == "1 lead is waiting"
    assert "Zoë" in text
    assert f"/dashboard/leads/{long.id}" in text
    assert run(app, "remind", "--older-than", "90m").stdout == "waiting: 2\n"
    assert run(app, "remind", "--older-than", "7d").stdout == "waiting: 0\n"
    assert len(mailbox.messages) == 2
    assert run(app, "remind", "--older-than", "soon").exit_code == 2


@pytest.mark.databases("sqlite")
def test_a_refused_address_keeps_no_digest_from_the_others(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    LeadFactory.create(created_at=now() - timedelta(days=2))
    monkeypatch.setitem(app.config, "ATTORNEY_EMAIL", ["gone@firm.example", "ana@firm.example"])
    monkeypatch.setattr(mailbox, "refused", {"gone@firm.example"})
    done = run(app, "remind")
    assert done.exit_code == 1
    assert "gone@firm.example: 550" in done.stderr
    assert len(mailbox.to("ana@firm.example")) == 1


def failed(**given: object) -> Letter:
    return LetterFactory.create(next_at=None, attempts=3, reason="554 Spam", **given)


def test_the_status_counts_waiting_and_failed_letters(app: Flask) -> None:
    assert run(app, "mail", "status").stdout == "waiting: 0\nfailed: 0\n"
    LetterFactory.create(created_at=now() - timedelta(minutes=45))
    LetterFactory.create(next_at=None, sent_at=now())
    failed()
    result = run(app, "mail", "status")
    assert result.exit_code == 1
    assert result.stdout == "waiting: 1, the oldest for 45 min\nfailed: 1\n"
    as_json = run(app, "mail", "status", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout) == {
        "waiting": 1,
        "failed": 1,
        "oldest_seconds": pytest.approx(45 * 60, abs=60),
    }


def test_failed_letters_are_sent_again(app: Flask, mailbox: MailServer) -> None:
    failed()
    assert run(app, "mail", "retry").stdout == "sent again: 1\n"
    again = run(app, "mail", "retry", "--json")
    assert json.loads(again.stdout) == {"sent_again": 0}
    deliver()
    assert len(mailbox.messages) == 1
    assert run(app, "mail", "status").stdout == "waiting: 0\nfailed: 0\n"


def test_an_attorney_sends_a_letter_again(signed_in: Client) -> None:
    letter = failed()
    assert letter.submission is not None
    path = f"/dashboard/leads/{letter.submission.lead_id}"
    page = signed_in.get(path).text
    assert "554 Spam" in page
    recipient = letter.recipient
    send = f"{path}/letters/{letter.id}/send"
    fields = hidden_fields(page, action="/send")
    assert signed_in.post(send, data=fields).status_code == 303
    [again] = db.session.scalars(select(Letter)).all()
    assert again.next_at is not None
    assert again.attempts == 0
    assert again.recipient == recipient
    assert "E-mail sent again" in signed_in.get(path).text
    assert signed_in.post(send, data=fields).status_code == 404


def test_the_list_says_when_letters_are_stuck(signed_in: Client) -> None:
    assert "1 e-mail has failed" not in signed_in.get("/dashboard/").text
    failed()
    LetterFactory.create(created_at=now() - timedelta(minutes=31))
    page = signed_in.get("/dashboard/").text
    assert "1 e-mail has failed" in page
    assert "31 min" in page
