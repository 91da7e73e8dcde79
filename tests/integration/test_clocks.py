"""A site accepts clocks that differ by some seconds, and refuses a time an hour ahead."""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from leadapp import tokens
from leadapp.clock import now
from leadapp.errors import NotSignedIn
from leadapp.models.accounts import User
from tests.clients import Client, new_client
from tests.factories import PASSWORD, LoginFactory
from tests.integration.desk import attached, deliver
from tests.integration.test_api_auth import ME, me, signed
from tests.integration.test_reset import ask
from tests.integration.test_sign_in import HOME, LOGIN, is_in
from tests.pages import hidden_fields
from tests.servers import MailServer

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}
NEAR, FAR = 9, 3600
TWO_CLOCKS = [(NEAR, 0), (0, NEAR), (FAR, 0)]
GONE_IF_FAR = [(NEAR, 200), (FAR, 410)]


@contextmanager
def clock(seconds: float) -> Iterator[None]:
    """Run the block with the clock this many seconds ahead."""
    with time_machine.travel(now() + timedelta(seconds=seconds), tick=False):
        yield


def send(client: Client, page: str, **changed: Any) -> TestResponse:
    fields: dict[str, Any] = hidden_fields(page, having="email")
    fields.update(GOOD)
    fields.update(changed)
    return client.post("/", data=fields)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("signer", "reader"), TWO_CLOCKS)
def test_a_form_is_sent_to_a_machine_whose_clock_differs(
    client: Client, signer: int, reader: int
) -> None:
    with clock(signer):
        page = client.get("/").text
    with clock(reader):
        status = send(client, page, resume=attached()).status_code
    assert status == (400 if signer == FAR else 303)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("signer", "reader"), TWO_CLOCKS)
def test_a_kept_file_is_read_by_a_machine_whose_clock_differs(
    app: Flask, client: Client, signer: int, reader: int
) -> None:
    with clock(signer):
        page = client.get("/").text
        failed = send(client, page, email="ana@", resume=attached())
    fields = hidden_fields(failed.text, having="email")
    with clock(reader), app.test_request_context():
        kept = tokens.verify_upload(fields["kept"], fields["form_id"])
    assert (kept is None) == (signer == FAR)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("behind", "status"), GONE_IF_FAR)
def test_the_page_after_sending_opens_on_a_machine_that_is_behind(
    client: Client, behind: int, status: int
) -> None:
    sent = send(client, client.get("/").text, resume=attached())
    with clock(-behind):
        assert client.get(sent.location).status_code == status


@pytest.mark.parametrize(("behind", "still_in"), [(NEAR, True), (FAR, False)])
def test_a_session_opens_pages_of_a_machine_that_is_behind(
    signed_in: Client, behind: int, still_in: bool
) -> None:
    with clock(-behind):
        assert is_in(signed_in) == still_in


@pytest.mark.parametrize(("behind", "status"), [(NEAR, 200), (FAR, 401)])
def test_a_token_opens_the_api_of_a_machine_that_is_behind(
    client: Client, token: str, behind: int, status: int
) -> None:
    with clock(-behind):
        assert me(client, token).status_code == status


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_an_hour_ahead_is_refused(app: Flask, attorney: User, claim: str) -> None:
    at = int(now().timestamp())
    claims: dict[str, object] = {
        "jti": str(LoginFactory.create(user=attorney).id),
        "sub": str(attorney.id),
        "iat": at,
        "exp": at + 2 * FAR,
    }
    with app.test_request_context():
        claims[claim] = at + NEAR
        assert tokens.verify_bearer(signed(app, claims)) == claims["jti"]
        claims[claim] = at + FAR
        with pytest.raises(NotSignedIn):
            tokens.verify_bearer(signed(app, claims))


@pytest.mark.parametrize(("late", "status"), [(NEAR, 200), (11, 401)])
def test_a_login_ends_some_seconds_late(client: Client, token: str, late: int, status: int) -> None:
    with clock(24 * 3600 + late):
        assert me(client, token).status_code == status


@pytest.mark.parametrize(("behind", "status"), GONE_IF_FAR)
def test_a_link_to_a_new_password_opens_on_a_machine_that_is_behind(
    client: Client, attorney: User, mailbox: MailServer, behind: int, status: int
) -> None:
    ask(client, attorney.email)
    deliver()
    [sent] = mailbox.to(attorney.email)
    link = re.search(r"/auth/reset/\S+", sent.text)
    assert link
    with clock(-behind):
        assert client.get(link[0]).status_code == status


@pytest.mark.parametrize("first", [0, -10])
def test_two_machines_ten_seconds_apart_are_one_site(
    app: Flask, attorney: User, first: int
) -> None:
    clocks, browser = itertools.cycle([first, -10 - first]), new_client(app)

    def visit(method: str, path: str, status: int, **options: Any) -> TestResponse:
        with clock(next(clocks)):
            answer = browser.open(path, method=method, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer

    def fields(answer: TestResponse, having: str, typed: dict[str, Any]) -> dict[str, Any]:
        return dict(hidden_fields(answer.text, having=having), **typed)

    page = visit("GET", "/", 200)
    bad = dict(GOOD, email="ana@", resume=attached())
    page = visit("POST", "/", 422, data=fields(page, "email", bad))
    sent = visit("POST", "/", 303, data=fields(page, "email", GOOD))
    assert "cv.pdf" in visit("GET", sent.location, 200).text
    who = {"username": attorney.username, "password": PASSWORD}
    page = visit("GET", LOGIN, 200)
    visit("POST", LOGIN, 303, data=fields(page, "password", who))
    assert GOOD["email"] in visit("GET", f"{HOME}?q=ana", 200).text
    answer = visit("POST", "/api/v1/auth/login", 200, data=who)
    access = answer.get_json()["access_token"]
    visit("GET", ME, 200, headers={"Authorization": f"Bearer {access}"})
