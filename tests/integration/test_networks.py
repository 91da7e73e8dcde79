"""Many wrong passwords from one network address refuse strangers there, but not the attorneys."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import bcrypt
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.accounts import passwords, throttle, users
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.errors import Unavailable
from leadapp.extensions import db
from leadapp.models.accounts import FailedNetwork, KnownNetwork, User
from leadapp.operations import maintenance
from tests.clients import Client
from tests.factories import PASSWORD, UserFactory
from tests.integration.test_sign_in import sign_in as sign_in_on_page

FIRM, HOME, WRONG = "203.0.113.7", "198.51.100.9", "Wrong-horse-7"


def sign_in(client: Client, name: str, address: str, password: str = PASSWORD) -> TestResponse:
    data = {"username": name, "password": password}
    return client.post("/api/v1/auth/login", data=data, environ_base={"REMOTE_ADDR": address})


def without_id(answer: TestResponse) -> dict[str, object]:
    """Return a problem without the id of its request."""
    problem = dict(answer.get_json())
    del problem["instance"]
    return problem


def fail(number: int = throttle.NETWORK_LIMIT, address: str = FIRM) -> None:
    for _ in range(number):
        throttle.record_failure_of_network(address)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collects the password of each hash comparison during the test."""
    compared: list[bytes] = []
    check = bcrypt.checkpw

    def note_and_check(secret: bytes, hashed: bytes) -> bool:
        compared.append(secret)
        return check(secret, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", note_and_check)
    return compared


def test_after_a_hundred_failures_only_who_works_there_may_try(
    client: Client, attorney: User, hashes: list[bytes]
) -> None:
    other = UserFactory.create()
    with time_machine.travel(now(), tick=False) as clock:
        assert sign_in(client, attorney.username, FIRM).status_code == 200
        names = [f"nobody{number}" for number in range(99)] + [other.email]
        tried = [sign_in(client, name, FIRM, WRONG) for name in names]
        assert {answer.status_code for answer in tried} == {401}
        assert len(hashes) == 101
        clock.shift(timedelta(minutes=4, seconds=30))
        # The right password, by username or e-mail, gets the same code, header and text.
        names = ["nobody", other.username, other.email]
        refused = [sign_in(client, name, FIRM) for name in names]
        assert {answer.status_code for answer in refused} == {429}
        assert {answer.headers["Retry-After"] for answer in refused} == {"630"}
        bodies = [without_id(answer) for answer in refused]
        assert bodies == [bodies[0]] * 3
        words = Code.SIGN_IN_THROTTLED.words.format(wait="11 min")
        assert bodies[0]["detail"] == words
        assert len(hashes) == 101
        assert sign_in(client, attorney.email, FIRM).status_code == 200
        assert sign_in(client, other.username, HOME).status_code == 200
        clock.shift(timedelta(minutes=10, seconds=31))
        assert sign_in(client, other.username, FIRM).status_code == 200


def test_who_works_there_keeps_a_limit_of_ten(client: Client, attorney: User) -> None:
    sign_in(client, attorney.username, FIRM)
    fail()
    tried = [sign_in(client, attorney.username, FIRM, WRONG) for _ in range(11)]
    assert [answer.status_code for answer in tried] == [401] * 10 + [429]


def test_a_refused_try_counts_for_nothing(client: Client, attorney: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        fail()
        clock.shift(timedelta(minutes=14))
        refused = [sign_in(client, attorney.username, FIRM) for _ in range(20)]
        assert {answer.status_code for answer in refused} == {429}
        clock.shift(timedelta(minutes=1, seconds=1))
        assert sign_in(client, attorney.username, FIRM).status_code == 200


def test_a_network_is_known_for_thirty_days(client: Client, attorney: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        sign_in(client, attorney.username, FIRM)
        clock.shift(timedelta(days=29, hours=23))
        maintenance.sweep()
        fail()
        assert sign_in(client, attorney.username, FIRM).status_code == 200
        clock.shift(timedelta(days=30, minutes=1))
        fail()
        assert sign_in(client, attorney.username, FIRM).status_code == 429
        maintenance.sweep()
        assert db.session.scalars(select(KnownNetwork)).all() == []


def test_the_pages_and_a_network_of_ipv6_are_told_the_same(client: Client, attorney: User) -> None:
    fail(address="2001:db8:0:7::1")
    assert sign_in(client, attorney.username, "2001:db8:0:7::2").status_code == 429
    assert sign_in(client, attorney.username, "2001:db8:0:8::2").status_code == 200
    fail(address="127.0.0.1")
    page = sign_in_on_page(client, attorney.username)
    words = Code.SIGN_IN_THROTTLED.words.format(wait="15 min")
    assert page.status_code == 429
    assert words in page.text


def test_unlocking_and_a_new_password_let_a_user_in_from_anywhere(
    client: Client, attorney: User
) -> None:
    other = UserFactory.create()
    fail()
    users.unlock(attorney.username)
    users.set_password(users.get_by_username(other.username), "Correct-horse-8")
    assert sign_in(client, attorney.username, FIRM).status_code == 200
    assert sign_in(client, other.username, FIRM, "Correct-horse-8").status_code == 200


def test_neither_names_nor_addresses_lie_in_the_tables(client: Client, attorney: User) -> None:
    sign_in(client, attorney.username, FIRM)
    sign_in(client, attorney.username, FIRM, WRONG)
    db.session.rollback()
    known = db.session.scalars(select(KnownNetwork)).one()
    failed = db.session.scalars(select(FailedNetwork)).one()
    digests = [known.who, known.address, failed.address]
    assert {len(digest) for digest in digests} == {64}
    kept = f"{known.who} {known.address} {failed.address}"
    user_id = attorney.id
    for plain in (attorney.username, user_id.hex, str(user_id), FIRM):
        assert plain not in kept
    later = now() + timedelta(hours=2, minutes=1)
    with time_machine.travel(later, tick=False):
        maintenance.sweep()
    assert db.session.scalars(select(FailedNetwork)).all() == []


@pytest.mark.databases("sqlite")
def test_one_network_holds_two_places_in_the_queue(app: Flask, attorney: User) -> None:
    held = threading.Barrier(3)
    done = threading.Event()

    def hold(address: str) -> None:
        with passwords._place_of_network(address), passwords._place(passwords._waiting):
            held.wait(10)
            done.wait(10)

    def hash_for(address: str) -> str:
        with app.app_context():
            return passwords.hash_password(PASSWORD, address)

    with ThreadPoolExecutor(30) as pool, ExitStack() as stack:
        stack.callback(done.set)
        pool.submit(hold, FIRM)
        pool.submit(hold, FIRM)
        held.wait(10)
        # These wait outside the queue.
        others = [pool.submit(hash_for, FIRM) for _ in range(16)]
        while passwords._outside._value:
            threading.Event().wait(0.01)
        with pytest.raises(Unavailable):
            hash_for(FIRM)
        assert passwords._waiting._value == 14
        assert hash_for(HOME)
        done.set()
        assert all(other.result(10) for other in others)
    assert (passwords._waiting._value, passwords._outside._value) == (16, 16)
