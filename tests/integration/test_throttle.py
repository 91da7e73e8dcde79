"""Wrong passwords: exactly ten per user and address in 15 minutes; all refusals look alike."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta

import bcrypt
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp import log
from leadapp.accounts import passwords, users
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.errors import LeadappError
from leadapp.extensions import db
from leadapp.models.accounts import FailedSignIns, User
from leadapp.operations import maintenance
from tests.clients import Client
from tests.factories import PASSWORD, UserFactory
from tests.integration.test_api_auth import sign_in as token_for
from tests.integration.test_sign_in import sign_in

WRONG = "Wrong-horse-7"


def tries(client: Client, name: str, number: int = 10) -> list[int]:
    answers = [token_for(client, name, WRONG) for _ in range(number)]
    return [answer.status_code for answer in answers]


def rows() -> list[FailedSignIns]:
    db.session.rollback()
    return list(db.session.scalars(select(FailedSignIns)))


def test_after_ten_failures_a_user_waits(app: Flask, client: Client, attorney: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        assert tries(client, attorney.username, 5) == [401] * 5
        assert tries(client, attorney.email.upper(), 5) == [401] * 5
        clock.shift(timedelta(minutes=4, seconds=30))
        answer = token_for(client, attorney.username)  # even the right password is refused
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "630")
        problem = answer.get_json()
        words = Code.SIGN_IN_THROTTLED.words.format(wait="11 min")
        assert (problem["code"], problem["detail"]) == ("sign_in_throttled", words)
        page = sign_in(client, attorney.username)
        assert page.status_code == 429
        assert page.headers["Retry-After"] == "630"
        assert words in page.text
        clock.shift(timedelta(minutes=10, seconds=31))
        assert token_for(client, attorney.username).status_code == 200


def test_the_window_moves_with_the_time(client: Client, attorney: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        assert tries(client, attorney.username, 1) == [401]
        clock.shift(timedelta(minutes=14))
        assert tries(client, attorney.username, 9) == [401] * 9
        clock.shift(timedelta(minutes=1, seconds=1))
        assert tries(client, attorney.username, 2) == [401, 429]


def test_an_unknown_name_is_told_the_same(client: Client, attorney: User) -> None:
    bodies = []
    for name in (attorney.username, "nobody", "nobody@example.com"):
        with time_machine.travel("2026-11-20T10:00Z", tick=False):
            assert tries(client, name) == [401] * 10
            problem = dict(token_for(client, name).get_json())
            del problem["instance"]
            bodies.append(problem)
    assert bodies == [bodies[0]] * 3


def test_another_address_and_another_user_are_not_kept_out(
    client: Client, app: Flask, attorney: User
) -> None:
    tries(client, attorney.username, 11)
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    data = {"username": attorney.username, "password": PASSWORD}
    answer = client.post("/api/v1/auth/login", data=data, environ_base=elsewhere)
    assert answer.status_code == 200
    # A success from another address does not reset the count for this one.
    assert token_for(client, attorney.username).status_code == 429
    assert tries(client, "nobody", 1) == [401]


@pytest.mark.databases("sqlite")
def test_a_customer_of_many_addresses_is_one(client: Client, attorney: User) -> None:
    def wrong(address: str) -> int:
        data = {"username": attorney.username, "password": WRONG}
        where = {"REMOTE_ADDR": address}
        return client.post("/api/v1/auth/login", data=data, environ_base=where).status_code

    in_one_network = [wrong(f"2001:db8:0:7::{number:x}") for number in range(11)]
    assert in_one_network == [401] * 10 + [429]
    for address in ("2001:db8:0:8::1", "192.0.2.7", "192.0.2.8", ""):
        assert wrong(address) == 401
    for number in range(20, 31):
        assert wrong(f"::ffff:192.0.2.{number}") == 401


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "spelling", ["203.0.113.7:{}", "[2001:db8::1]:{}", "2001:db8::1%eth{}", "client-{}"]
)
def test_no_spelling_of_an_address_brings_more_tries(
    client: Client, attorney: User, spelling: str
) -> None:
    def wrong(number: int) -> int:
        data = {"username": attorney.username, "password": WRONG}
        where = {"REMOTE_ADDR": spelling.format(number)}
        return client.post("/api/v1/auth/login", data=data, environ_base=where).status_code

    answers = [wrong(number) for number in range(11)]
    assert answers == [401] * 10 + [429]


@pytest.mark.parametrize(
    "typed", ["ana@bücher.example", "ANA@xn--bcher-kva.example", " ana@bücher.EXAMPLE "]
)
def test_any_spelling_of_an_address_signs_in(client: Client, typed: str) -> None:
    UserFactory.create(email="ana@xn--bcher-kva.example", email_key="ana@bücher.example")
    assert token_for(client, typed).status_code == 200


def test_a_good_sign_in_forgets_the_bad_ones(client: Client, attorney: User) -> None:
    assert tries(client, attorney.username, 9) == [401] * 9
    assert token_for(client, attorney.username).status_code == 200
    assert rows() == []
    assert tries(client, attorney.username, 9) == [401] * 9


def test_unlocking_and_a_new_password_let_a_user_try_again(client: Client, attorney: User) -> None:
    tries(client, attorney.username, 11)
    users.unlock(attorney.username)
    assert token_for(client, attorney.username).status_code == 200
    tries(client, attorney.username, 11)
    users.set_password(users.get_by_username(attorney.username), "Correct-horse-8")
    assert token_for(client, attorney.username, "Correct-horse-8").status_code == 200


def test_thirty_at_once_are_ten(
    app: Flask, attorney: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[bytes] = []
    check = bcrypt.checkpw

    def note_and_check(secret: bytes, hashed: bytes) -> bool:
        checks.append(secret)
        return check(secret, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", note_and_check)
    # Without turns, threads compare hashes at once, as several processes would.
    monkeypatch.setattr(passwords, "hashing_turn", nullcontext)
    name = attorney.username

    def one(_number: int) -> Code:
        with app.app_context(), pytest.raises(LeadappError) as refusal:
            users.authenticate(name, WRONG, "192.0.2.7")
        return refusal.value.code

    with ThreadPoolExecutor(30) as pool:
        outcomes = list(pool.map(one, range(30)))
    refused = outcomes.count(Code.BAD_CREDENTIALS)
    throttled = outcomes.count(Code.SIGN_IN_THROTTLED)
    assert (len(checks), refused, throttled) == (10, 10, 20)


def test_the_table_names_nobody_and_is_swept(client: Client, attorney: User) -> None:
    tries(client, attorney.username, 2)
    tries(client, "somebody-unknown", 1)
    kept = " ".join(f"{row.who} {row.address}" for row in rows())
    assert len(rows()) == 2
    for told in (
        attorney.username,
        attorney.email,
        str(attorney.id),
        attorney.id.hex,
        "127.0.0.1",
        "somebody",
    ):
        assert told not in kept
    maintenance.sweep()
    assert len(rows()) == 2
    later = now() + timedelta(hours=2, minutes=1)
    with time_machine.travel(later, tick=False):
        maintenance.sweep()
    assert rows() == []


def facts(record: logging.LogRecord) -> dict[str, object]:
    """Returns the facts that the log adds to a record."""
    found: dict[str, object] = vars(record)["facts"]
    return found


@pytest.mark.databases("sqlite")
def test_bad_and_good_sign_ins_are_logged_without_a_name(
    client: Client,
    attorney: User,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # import-linter disables the loggers that it finds.
    monkeypatch.setattr(log.logger, "disabled", False)
    with caplog.at_level("INFO", logger="leadapp"):
        for name, password in (
            (attorney.username, WRONG),
            ("nobody", WRONG),
            (attorney.username, PASSWORD),
        ):
            token_for(client, name, password)
    told = [
        (record.getMessage(), facts(record)["user"])
        for record in caplog.records
        if "user" in facts(record)
    ]
    wanted = [
        ("a wrong name or password", attorney.id),
        ("a wrong name or password", None),
        ("signed in", attorney.id),
    ]
    assert [line for line in told if line[0] != "request"] == wanted


def test_a_long_name_is_a_wrong_name(client: Client) -> None:
    answer: TestResponse = token_for(client, "x" * 50_000, WRONG)
    assert answer.status_code == 401
