"""Few connections carry many e-mails, and no fault of a connection loses or repeats one."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import delivery, queue
from leadapp.mail.delivery import Deliverer
from leadapp.models.letters import Letter
from tests.factories import LetterFactory
from tests.integration.desk import deliver
from tests.servers import MailServer

pytestmark = pytest.mark.databases("sqlite")
TWO_MINUTES = timedelta(minutes=2)


def queued(count: int, **columns: object) -> list[Letter]:
    return [
        LetterFactory.create(recipient=f"ana{number}@example.com", **columns)
        for number in range(count)
    ]


def unsent() -> list[Letter]:
    return list(db.session.scalars(select(Letter).where(Letter.sent_at.is_(None))))


@contextmanager
def delivering(app: Flask) -> Iterator[None]:
    """Deliver in a thread; at the end, stop it and wait."""
    stopped = threading.Event()

    def run() -> None:
        with app.app_context(), closing(Deliverer()) as deliverer:
            deliverer.deliver_until(stopped)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stopped.set()
    thread.join(10)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def copies(mailbox: MailServer) -> list[int]:
    """Return how often each e-mail arrived."""
    ids = Counter(sent.message["Message-ID"] for sent in mailbox.messages)
    return list(ids.values())


@pytest.mark.databases("sqlite", "postgres")
def test_a_connection_carries_a_run_of_e_mails(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PER_SECOND", 0)  # no more connections than the fewest
    queued(30)
    deliver()
    assert copies(mailbox) == [1] * 30
    assert unsent() == []
    assert len(mailbox.names) == delivery.FEWEST
    assert mailbox.commands == {"MAIL": 30, "RCPT": 30, "DATA": 30}


def test_a_slow_server_gets_several_e_mails_at_once(mailbox: MailServer) -> None:
    mailbox.delay = 0.3
    queued(60)
    deliver()
    assert copies(mailbox) == [1] * 60
    assert 20 < mailbox.most_at_once <= delivery.MOST
    assert len(mailbox.names) <= delivery.MOST


@pytest.mark.parametrize("per_connection", [1, 3])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_server_may_end_a_connection_between_e_mails(
    mailbox: MailServer, per_connection: int, hangs_up: bool
) -> None:
    mailbox.per_connection, mailbox.hangs_up = per_connection, hangs_up
    queued(10)
    deliver()
    assert copies(mailbox) == [1] * 10
    letters = db.session.scalars(select(Letter)).all()
    assert [letter.attempts for letter in letters] == [1] * 10
    assert unsent() == []


def test_a_new_connection_that_is_ended_at_once_counts_as_an_attempt(mailbox: MailServer) -> None:
    mailbox.per_connection = 0
    queued(1)
    deliver()
    [letter] = unsent()
    assert letter.reason == "421 4.7.0 Too many messages on this connection"
    assert letter.next_at is not None


def test_a_restarted_server_is_reached_over_a_new_connection(mailbox: MailServer) -> None:
    stopped = threading.Event()
    with closing(Deliverer()) as deliverer:
        queued(1)
        deliverer.deliver_due(stopped)
        mailbox.stop()
        mailbox.start()
        queued(1)
        deliverer.deliver_due(stopped)
    assert len(mailbox.messages) == 2
    db.session.expire_all()
    assert unsent() == []


def test_an_unused_connection_is_closed_soon(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(delivery, "KEEP_SECONDS", 1)
    queued(1)
    with delivering(app):
        mailbox.wait_for(1)
        time.sleep(0.3)
        assert mailbox.connected() == 1
        wait_until(lambda: mailbox.connected() == 0)


def test_an_e_mail_without_an_answer_is_sent_again_later(mailbox: MailServer) -> None:
    mailbox.lost_answers = 1
    queued(3)
    deliver()
    [letter] = unsent()
    assert "Connection unexpectedly closed" in (letter.reason or "")
    with time_machine.travel(now() + TWO_MINUTES, tick=True):
        deliver()
    assert unsent() == []
    assert sorted(copies(mailbox)) == [1, 1, 2]


def test_a_refused_recipient_does_not_cost_the_connection(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PER_SECOND", 0)
    mailbox.refused = {"ana3@example.com", "ana4@example.com"}
    queued(12)
    deliver()
    assert {letter.recipient for letter in unsent()} == mailbox.refused
    assert len(mailbox.messages) == 10
    assert len(mailbox.names) == delivery.FEWEST
    assert mailbox.commands["RSET"] == 2


def test_a_server_that_limits_its_clients_gets_every_e_mail(mailbox: MailServer) -> None:
    mailbox.clients = 3
    mailbox.delay = 0.05  # so that more connections seem to be needed
    queued(40)
    deliver()
    assert copies(mailbox) == [1] * 40
    assert unsent() == []
    letters = db.session.scalars(select(Letter)).all()
    assert [letter.attempts for letter in letters] == [1] * 40


def test_a_stop_finishes_what_is_in_flight_and_releases_the_rest(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PER_SECOND", 0)
    mailbox.delay = 0.5
    queued(10)
    with delivering(app):
        mailbox.wait_for_try(2)
    db.session.expire_all()
    assert len(mailbox.messages) == 2
    left = unsent()
    assert len(left) == 8
    assert {(letter.attempts, letter.token) for letter in left} == {(0, None)}
    assert all(letter.next_at and letter.next_at <= now() for letter in left)


def test_an_e_mail_whose_lease_ends_soon_is_not_begun(mailbox: MailServer) -> None:
    queued(2)
    with closing(Deliverer()) as deliverer:
        deliverer._claim()
        late = now() + queue.LEASE - delivery.ATTEMPT_MAX + timedelta(seconds=1)
        with time_machine.travel(late, tick=True):
            deliverer._begin()
    assert mailbox.tried == []
    db.session.expire_all()
    assert {(letter.attempts, letter.token) for letter in unsent()} == {(0, None)}
    with time_machine.travel(late + timedelta(seconds=1), tick=True):
        deliver()
    assert len(mailbox.messages) == 2


def test_outcomes_are_stored_after_the_database_was_away(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(2)
    stopped = threading.Event()
    close = queue.close
    turns = ["fails"]

    def sometimes(outcomes: list[queue.Outcome]) -> None:
        if turns:
            raise OSError(turns.pop())
        close(outcomes)

    monkeypatch.setattr(queue, "close", sometimes)
    with closing(Deliverer()) as deliverer:
        with pytest.raises(OSError, match="fails"):
            deliverer.deliver_due(stopped)
        deliverer.deliver_due(stopped)
    db.session.expire_all()
    assert unsent() == []
    assert copies(mailbox) == [1, 1]


def test_a_sent_e_mail_is_not_claimed_again_after_a_long_failure_of_the_database(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_outcomes: list[queue.Outcome]) -> None:
        raise OSError("away")

    queued(2)
    stopped = threading.Event()
    with closing(Deliverer()) as deliverer:
        with monkeypatch.context() as broken:
            broken.setattr(queue, "close", fail)
            with pytest.raises(OSError, match="away"):
                deliverer.deliver_due(stopped)
        mailbox.wait_for(2)
        with time_machine.travel(now() + queue.LEASE + timedelta(seconds=1), tick=True):
            deliverer.deliver_due(stopped)
    db.session.expire_all()
    assert unsent() == []
    assert copies(mailbox) == [1] * 2


@pytest.mark.databases("sqlite", "postgres")
def test_a_run_of_e_mails_takes_few_commits(
    mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(20)
    commits: list[object] = []

    def committed(connection: object) -> None:
        commits.append(connection)

    event.listen(db.engine, "commit", committed)
    deliver()
    event.remove(db.engine, "commit", committed)
    assert len(mailbox.messages) == 20
    # Two for the claim, and at most one for each outcome.
    assert len(commits) <= 22


@pytest.mark.databases("sqlite", "postgres")
def test_a_claim_takes_those_that_have_been_due_the_longest(mailbox: MailServer) -> None:
    letters = queued(5)
    for number, letter in enumerate(letters):
        letter.next_at = now() - timedelta(minutes=(number * 2) % 5)
    db.session.commit()
    oldest = sorted(letters, key=lambda letter: letter.next_at or now())
    claimed = queue.claim(2)
    assert {letter.id for letter in claimed} == {letter.id for letter in oldest[:2]}
    assert len({letter.token for letter in claimed}) == 1
    assert len(queue.claim(10)) == 3
    queue.release(claimed)
    assert len(queue.claim(10)) == 2


def test_each_attempt_is_logged(mailbox: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.refused = {"ana1@example.com"}
    letters = queued(2)
    with caplog.at_level(logging.INFO, "leadapp"):
        deliver()
    facts = [record.__dict__["facts"] for record in caplog.records if record.msg == "letter"]
    outcomes = {line["letter"]: line["outcome"] for line in facts}
    assert outcomes == {letters[0].id: "sent", letters[1].id: "failed"}
