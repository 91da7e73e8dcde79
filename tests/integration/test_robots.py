"""Robots: a field that people do not see, and limits on how often one address may send."""

import io
import itertools
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


def good(**more: str) -> dict[str, Any]:
    """Returns the fields of a submission, with its file."""
    fields: dict[str, Any] = dict(GOOD)
    fields["resume"] = (io.BytesIO(samples.pdf()), "cv.pdf")
    fields.update(more)
    return fields


def submissions() -> int:
    number = select(func.count()).select_from(Submission)
    return db.session.scalar(number) or 0


def test_a_filled_honeypot_asks_once_more_and_drops_nobody(client: Client) -> None:
    form = hidden_fields(client.get("/").text, having="email")
    asked = client.post("/", data=good(website="http://buy.example", **form))
    assert asked.status_code == 422
    for words in ("Press send again", 'value="ana@example.com"', "cv.pdf"):
        assert words in asked.text
    assert "buy.example" not in asked.text
    assert submissions() == 0
    again = hidden_fields(asked.text, having="email")
    # The file was kept, so the browser sends none.
    again.update(GOOD)
    again["website"] = "filled by the browser once more"
    assert client.post("/", data=again).status_code == 303
    assert submissions() == 1


@pytest.fixture
def make_limited(
    tmp_path: Path,
    new_app: Callable[..., Flask],
) -> Callable[..., Flask]:
    """`make_limited(**settings)` creates an application that counts requests."""

    def make(**given: str) -> Flask:
        settings = {
            "TESTING": True,
            "INSTANCE_PATH": str(tmp_path),
            "RATELIMIT_ENABLED": "true",
            "SECRET_KEY": "s" * 40,
        }
        settings.update(given)
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
        where = {"REMOTE_ADDR": address}
        return client.post("/", data={}, environ_base=where).status_code

    with time_machine.travel(now().replace(second=1), tick=False):
        answers = [post(f"2001:db8:0:7::{number:x}") for number in range(61)]
        assert answers == [400] * 60 + [429]
        assert post("2001:db8:0:8::1") == 400
        assert post("::ffff:192.0.2.7") == 400


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

    answers = [post(number) for number in range(61)]
    assert answers == [400] * 60 + [429]


def test_spellings_of_one_address_are_one_and_unreadable_ones_are_one(
    make_limited: Callable[..., Flask],
) -> None:
    client = make_limited(TRUSTED_PROXIES="1").test_client()

    def post(address: str) -> int:
        forwarded = {"X-Forwarded-For": address}
        return client.post("/", data={}, headers=forwarded).status_code

    def counts(*spellings: str) -> list[int]:
        repeated = itertools.cycle(spellings)
        return [post(spelling) for spelling in itertools.islice(repeated, 61)]

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
        assert page.status_code == 429
        problem = client.post("/api/v1/leads", data=good())
        assert problem.status_code == 429
        for path in ("/auth/forgot", "/api/v1/auth/register"):
            assert client.post(path).status_code == 429
        assert problem.get_json()["code"] == "http_429"
        assert "Wait 1 min" in page.text
        assert 1 <= int(page.headers["Retry-After"]) <= 61
        assert client.post("/auth/login", data={}).status_code == 400, "what has a count of its own"
        clock.shift(60)
        assert client.post("/api/v1/leads", data=good()).status_code == 201
