"""The form and the API handle any text: accept or refuse it, and escape it on pages.

The text adds no header to an e-mail.
"""

import email
import email.policy
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadapp.mail import smtp
from tests.integration.desk import attached, deliver
from tests.pages import hidden_fields
from tests.servers.received import part

pytestmark = pytest.mark.databases("sqlite")
typed = st.one_of(
    st.text(max_size=120),
    st.sampled_from(
        [
            "<b>Ana</b>",
            "=?utf-8?q?=0d=0aBcc:_e@example.org?=",
            "a\r\nBcc: e@example.org",
            "{{ 7 * 7 }}",
            "' --",
        ]
    ),
)
addresses = st.one_of(typed, st.emails(), st.just("ana@example.com"))
anything = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def sendable(text: str) -> str:
    """Replace the characters that UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


@anything
@given(
    first=typed,
    last=typed,
    address=addresses,
    filename=st.text(max_size=60).map(lambda name: f"{name}.pdf"),
)
def test_anything_typed_is_taken_or_refused(
    app: Flask, first: str, last: str, address: str, filename: str
) -> None:
    client = app.test_client()
    fields: dict[str, Any] = {
        "first_name": sendable(first),
        "last_name": sendable(last),
        "email": sendable(address),
    }
    name = sendable(filename)
    form: dict[str, Any] = hidden_fields(client.get("/").text, having="email")
    form.update(fields, resume=attached(filename=name))
    page = client.post("/", data=form)
    fields["resume"] = attached(filename=name)
    problem = client.post("/api/v1/leads", data=fields)
    assert (page.status_code, problem.status_code) in {(303, 201), (422, 422)}
    if page.status_code == 422:
        assert "<b>Ana</b>" not in page.text
    check_letters()


def check_letters() -> None:
    deliver()
    for file in smtp.outbox().glob("*.eml"):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        known = {
            "content-type",
            "mime-version",
            "subject",
            "from",
            "to",
            "date",
            "message-id",
            "reply-to",
            "auto-submitted",
        }
        assert {name.lower() for name in message} <= known
        assert "<b>Ana" not in part(message, "html")
        file.unlink()
