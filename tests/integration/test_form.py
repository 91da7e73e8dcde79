"""The public form: its fields, the kept file, and a second press of the button."""

import html
import json
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from leadapp import tokens
from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.leads import Lead, Submission
from tests import samples
from tests.clients import Client
from tests.integration.desk import attached
from tests.pages import hidden_fields
from tests.stored import content, staged

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


def hidden(page: str) -> dict[str, str]:
    return hidden_fields(page, having="email")


def new_form(client: Client) -> dict[str, str]:
    return hidden(client.get("/").text)


def send(
    client: Client, hidden: dict[str, str], file: bytes | None = samples.pdf(), **changed: str
) -> TestResponse:
    fields: dict[str, Any] = dict(hidden)
    fields.update(GOOD)
    fields.update(changed)
    if file is not None:
        fields["resume"] = attached(file)
    return client.post("/", data=fields)


def failed_form(client: Client) -> dict[str, str]:
    """Send the form with a mistake; return the hidden fields that keep its file."""
    return hidden(send(client, new_form(client), email="ana@").text)


def submissions() -> int:
    return db.session.scalar(select(func.count()).select_from(Submission)) or 0


def test_the_form_sets_no_cookie(client: Client) -> None:
    assert "Set-Cookie" not in client.get("/").headers


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("contact", "ending"), [("", "device"), ("Call O'Hara & Co.", "device. Call O'Hara & Co.")]
)
def test_the_script_has_the_words_of_each_failure(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch, contact: str, ending: str
) -> None:
    monkeypatch.setitem(app.config, "CONTACT_TEXT", contact)
    [words] = re.findall(r"data-words='([^']+)'", client.get("/").text)
    refused = json.loads(html.unescape(words))["sending_refused"]
    assert "(status {status})" in refused  # the script inserts the status
    assert refused.endswith(f"or {ending}")


def test_the_page_after_sending_says_what_was_received(client: Client) -> None:
    answer = send(client, new_form(client))
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    page = client.get(answer.location).text
    reference = db.session.scalars(select(Lead.reference)).one()
    for words in ("We have your details", reference, "a***@example.com", "cv.pdf"):
        assert words in page
    assert "ana@example.com" not in page


def test_the_page_after_sending_ends_after_thirty_days(client: Client) -> None:
    address = send(client, new_form(client)).location
    with time_machine.travel(now().timestamp() + 29 * 86400, tick=False):
        assert client.get(address).status_code == 200
    with time_machine.travel(now().timestamp() + 31 * 86400, tick=False):
        answer = client.get(address)
    assert answer.status_code == 410
    assert "The firm still has what you sent" in answer.text
    assert client.get("/submitted/made-up").status_code == 404


def test_pressed_twice_is_one_submission(client: Client) -> None:
    form = new_form(client)
    first, second = send(client, form), send(client, form)
    assert (second.status_code, submissions()) == (303, 1)
    assert client.get(first.location).text == client.get(second.location).text


@pytest.mark.parametrize(
    "changed",
    [
        {"first_name": "Anna"},
        {"file": samples.pdf("corrected")},
    ],
)
def test_corrected_and_sent_again_is_a_new_submission(
    client: Client, changed: dict[str, Any]
) -> None:
    form = new_form(client)
    send(client, form)
    assert send(client, form, **changed).status_code == 303
    assert submissions() == 2


def test_a_failed_form_keeps_what_was_typed_and_the_file(client: Client) -> None:
    answer = send(client, new_form(client), email="ana@", first_name="<Ana>")
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "<title>Error: " in page
    assert 'value="<Ana>"' in page
    assert 'value="ana@"' in page
    assert "cv.pdf" in page
    assert "kept" in page
    assert send(client, hidden(answer.text), file=None).status_code == 303
    key = db.session.scalars(select(Submission.storage_key)).one()
    assert content(key) == samples.pdf()


def test_a_kept_file_serves_one_form_and_each_submission_has_its_own(client: Client) -> None:
    form = failed_form(client)
    assert send(client, form, file=None).status_code == 303
    assert send(client, form, file=None, first_name="Anna").status_code == 303
    keys = db.session.scalars(select(Submission.storage_key)).all()
    assert len(set(keys)) == 2
    assert all(content(key) == samples.pdf() for key in keys)
    stolen = dict(new_form(client), kept=form["kept"])
    assert "Select a resume" in send(client, stolen, file=None).text


def test_a_file_in_place_of_text_is_asked_for_as_text(client: Client) -> None:
    form = dict(GOOD, **new_form(client))
    for address, fields in (("/", form), ("/api/v1/leads", GOOD)):
        files = dict(fields, first_name=attached(), resume=attached())
        answer = client.post(address, data=files)
        assert answer.status_code == 422
        assert "Enter your first name" in html.unescape(answer.text)


def test_a_kept_file_is_forgotten_after_an_hour(client: Client) -> None:
    form = failed_form(client)
    with time_machine.travel(now().timestamp() + 3700, tick=False):
        answer = send(client, form, file=None)
    assert answer.status_code == 422
    assert "Select a resume" in answer.text


@pytest.mark.databases("sqlite")
def test_a_file_kept_by_an_older_leadapp_is_asked_for_again(client: Client) -> None:
    form = failed_form(client)
    signer = tokens._signer("kept")
    kept = signer.loads(form["kept"])
    del kept["kept_at"]
    form["kept"] = signer.dumps(kept)
    assert send(client, form, file=None).status_code == 422


def test_the_hour_of_a_kept_file_does_not_begin_anew_with_each_mistake(client: Client) -> None:
    form = failed_form(client)
    # Both times are under two hours, after which the stored file itself is deleted.
    for minutes, kept in ((50, True), (100, False)):
        with time_machine.travel(now().timestamp() + minutes * 60, tick=False):
            again = send(client, form, file=None, email="ana@")
        form = hidden(again.text)
        assert bool(form.get("kept")) == kept


@pytest.mark.parametrize("form_id", [None, "", "made-up", "day-old"])
def test_an_old_or_foreign_form_comes_back_whole(client: Client, form_id: str | None) -> None:
    form = new_form(client)
    if form_id != "day-old":
        del form["form_id"]
    if form_id is not None and form_id != "day-old":
        form["form_id"] = form_id
    with time_machine.travel(now().timestamp() + 86500, tick=False):
        answer = send(client, form)
        assert answer.status_code == 400
        for words in (
            'value="ana@example.com"',
            "cv.pdf",
            "Check and send again",
            "Nothing you typed is lost",
        ):
            assert words in answer.text
        assert send(client, hidden(answer.text), file=None).status_code == 303
    assert submissions() == 1


def test_nothing_stays_staged(client: Client) -> None:
    send(client, new_form(client), file=samples.HTML)
    client.post("/auth/login", data={"resume": attached()})
    broken = (
        b'--x\r\nContent-Disposition: form-data; name="resume"; filename="cv.pdf"\r\n\r\n%PDF-1.4'
    )
    client.post("/", data=broken, content_type="multipart/form-data; boundary=x")
    parts = {f"resume{number}": attached(b"x") for number in range(30)}
    assert client.post("/", data=parts).status_code == 413
    assert staged() == []


def test_the_firm_speaks_in_its_own_words(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {
        "FIRM_NAME": "Hartwell & Lane",
        "FORM_INTRO": "Tell us.",
        "PRIVACY_TEXT": "Kept a year.",
        "CONTACT_TEXT": "Call",
    }
    for name, value in own.items():
        monkeypatch.setitem(app.config, name, value)
    monkeypatch.setitem(app.config, "NEXT_STEPS", ["We call you"])
    monkeypatch.setitem(app.config, "ACCENT_COLOR", "#7a0000")
    page = html.unescape(client.get("/").text)
    for words in own.values():
        assert words in page
    assert "We call you" in page
    assert "/theme.css" in page
    assert "--accent:#7a0000" in client.get("/theme.css").text


def test_the_whole_first_visit_is_small(client: Client) -> None:
    sizes = [
        len(client.get(path).data) for path in ("/", "/static/leadapp.css", "/static/icon.svg")
    ]
    assert sum(sizes) <= 30 * 1024
