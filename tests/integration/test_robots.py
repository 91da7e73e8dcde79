"""Robots: a field that people do not see, and limits on how often one address may send."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.leads import Submission
from tests import samples
from tests.clients import Client
from tests.pages import hidden_fields
from tests.servers import ROOT

pytestmark = pytest.mark.databases("sqlite")
GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


def upload() -> dict[str, Any]:
    return {"resume": (io.BytesIO(samples.pdf()), "cv.pdf")}


def submissions() -> int:
    return db.session.scalar(select(func.count()).select_from(Submission)) or 0


def test_a_filled_honeypot_asks_once_more_and_drops_nobody(client: Client) -> None:
    form = hidden_fields(client.get("/").text, having="email")
    asked = client.post("/", data=form | GOOD | upload() | {"website": "http://buy.example"})
    assert asked.status_code == 422
    for words in ("Press send again", 'value="ana@example.com"', "cv.pdf"):
        assert words in asked.text
    assert "buy.example" not in asked.text
    assert submissions() == 0
    again = hidden_fields(asked.text, having="email")
    assert (
        client.post(
            "/", data=again | GOOD | {"website": "filled by the browser once more"}
        ).status_code
        == 303
    )
    assert submissions() == 1


@pytest.fixture
def make_limited(tmp_path: Path, new_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """`make_limited(**settings)` creates an application that counts requests."""

    def make(**given: str) -> Flask:
        settings = {
            "TESTING": True,
            "INSTANCE_PATH": str(tmp_path),
            "RATELIMIT_ENABLED": "true",
            "SECRET_KEY": "s" * 40,
            **given,
        }
        app = new_app(settings)
        app.test_client_class = Client
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        return app

    return make


@pytest.fixture
def limited(make_limited: Callable[..., Flask]) -> Flask:
    """Returns an application that counts requests."""
    return make_limited()


def test_a_customer_of_many_addresses_is_counted_as_one(limited: Flask) -> None:
    client = limited.test_client()

    def post(address: str) -> int:
        return client.post("/", data={}, environ_base={"REMOTE_ADDR": address}).status_code

    with time_machine.travel(now().replace(second=1), tick=False):
        assert [post(f"2001:db8:0:7::{number:x}") for number in range(61)] == [400] * 60 + [429]
        assert [post(address) for address in ("2001:db8:0:8::1", "::ffff:192.0.2.7")] == [400] * 2


@pytest.mark.parametrize(
    "spelling",
    [
        "203.0.113.7:{}",
        " 203.0.113.7:{} ",
        '"[2001:db8::1]:{}"',
        "[2001:db8::1%eth{}]",
        "2001:db8::1%eth{}",
        "::ffff:203.0.113.7%{}",
        "client-{}",
        "_{}",
        "203.0.113.7:{}:1",
    ],
)
def test_no_spelling_of_a_proxy_turns_the_limit_off(
    make_limited: Callable[..., Flask], spelling: str
) -> None:
    app = make_limited(TRUSTED_PROXIES="1")
    client = app.test_client()

    def post(number: int) -> int:
        address = {"X-Forwarded-For": f"198.51.100.{number}, {spelling.format(number)}"}
        return client.post("/", data={}, headers=address).status_code

    assert [post(number) for number in range(61)] == [400] * 60 + [429]


def test_spellings_of_one_address_are_one_and_unreadable_ones_are_one(
    make_limited: Callable[..., Flask],
) -> None:
    client = make_limited(TRUSTED_PROXIES="1").test_client()

    def post(address: str) -> int:
        return client.post("/", data={}, headers={"X-Forwarded-For": address}).status_code

    def counts(*spellings: str) -> list[int]:
        return [post(spellings[number % len(spellings)]) for number in range(61)]

    once = [400] * 60 + [429]
    assert counts("203.0.113.7", "203.0.113.7:40000", "[::ffff:203.0.113.7]:443") == once
    assert counts("2001:db8::1", "[2001:db8::2]:443", "2001:db8::3%eth0") == once
    assert counts("unknown", "client:80", "203.0.113.999", "[]", "%eth0", "x" * 4000) == once


def test_sixty_a_minute_are_enough_for_one_address(limited: Flask) -> None:
    client = limited.test_client()
    with time_machine.travel(now().replace(second=1), tick=False) as clock:
        for _ in range(60):
            assert client.post("/", data={}).status_code == 400
            assert client.get("/").status_code == 200
        page = client.post("/", data={})
        problem = client.post("/api/v1/leads", data=GOOD | upload())
        others = [
            client.post(path).status_code for path in ("/auth/forgot", "/api/v1/auth/register")
        ]
        assert [page.status_code, problem.status_code, *others] == [429] * 4
        assert problem.get_json()["code"] == "http_429"
        assert "Wait 1 min" in page.text
        assert 1 <= int(page.headers["Retry-After"]) <= 61
        assert client.post("/auth/login", data={}).status_code == 400, "what has a count of its own"
        clock.shift(60)
        assert client.post("/api/v1/leads", data=GOOD | upload()).status_code == 201
