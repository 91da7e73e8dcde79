"""The form and the API treat the same cases alike.

The outcome, words, rows, files and e-mails are the same.
"""

import hashlib
import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.models.leads import Lead, LeadStatus, Submission
from leadapp.models.letters import Letter
from tests import samples
from tests.clients import Client
from tests.integration.desk import attached
from tests.pages import hidden_fields
from tests.stored import content, keys, staged

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "Ana.Ruiz@example.com"}


@dataclass(frozen=True)
class Case:
    """A submission, and the errors in the answer (none: it is accepted)."""

    changed: dict[str, str]
    file: tuple[bytes, str] | None
    words: tuple[str, ...] = ()


TOO_MUCH = (b"x" * (samples.LIMIT + 1), "cv.pdf")
CASES = {
    "good": Case({}, (samples.pdf(), "cv.pdf")),
    "a Word document": Case({}, (samples.docx(), "cv.docx")),
    "an old Word document": Case({}, (samples.doc(), "cv.doc")),
    "an e-mail with what copying and keyboards bring": Case(
        {"email": "mailto:Ana.\u2060Ruiz\uff20example\u3002com\u200b"},
        (samples.pdf(), "cv.pdf"),
    ),
    "no file": Case({}, None, ("Select a resume",)),
    "wrong type": Case({}, (b"MZ", "cv.exe"), ("The resume must be a PDF, DOC or DOCX file",)),
    "HTML named .pdf": Case(
        {},
        (samples.HTML, "cv.pdf"),
        ("cv.pdf is a web page (HTML) inside: open it, choose Print and save it as PDF",),
    ),
    "DOCX named .doc": Case(
        {},
        (samples.docx(), "R&D.doc"),
        ("R&D.doc is a DOCX file inside: rename it to R&D.docx, or open it and save it as PDF",),
    ),
    "cut": Case(
        {},
        (samples.pdf()[:-10], "cv.pdf"),
        ("cv.pdf looks incomplete: save it again",),
    ),
    "oversize": Case(
        {}, (samples.oversize_pdf(), "cv.pdf"), ("The resume must be smaller than 5 MB",)
    ),
    "empty": Case({}, (b"", "cv.pdf"), ("The resume is empty",)),
    "bad e-mail": Case(
        {"email": "ana@"},
        (samples.pdf(), "cv.pdf"),
        ("Enter an e-mail address like name@example.com",),
    ),
    "everything": Case(
        {"first_name": "", "last_name": "x" * 101, "email": ""},
        None,
        (
            "Enter your first name",
            "The last name must be 100 characters or fewer",
            "Enter your e-mail address",
            "Select a resume",
        ),
    ),
}


def through_the_form(client: Client, fields: dict[str, Any]) -> TestResponse:
    form: dict[str, Any] = hidden_fields(client.get("/").text, having="email")
    form.update(fields)
    return client.post("/", data=form)


def through_the_api(client: Client, fields: dict[str, Any]) -> TestResponse:
    return client.post("/api/v1/leads", data=fields, content_type="multipart/form-data")


Door = Callable[[Client, dict[str, Any]], TestResponse]
DOORS = pytest.mark.parametrize("door", [through_the_form, through_the_api])


def send(door: Door, client: Client, case: Case) -> TestResponse:
    fields: dict[str, Any] = dict(GOOD, **case.changed)
    if case.file:
        content, filename = case.file
        fields["resume"] = attached(content, filename)
    return door(client, fields)


def words_of(response: TestResponse) -> list[str]:
    if response.is_json:
        return [error["detail"] for error in response.get_json()["errors"]]
    page = html.unescape(response.text)
    return [words for case in CASES.values() for words in case.words if f">{words}<" in page]


@DOORS
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_doors_answer_alike(app: Flask, client: Client, door: Door, case: Case) -> None:
    response = send(door, client, case)
    if case.words:
        assert response.status_code == 422
        assert set(words_of(response)) == set(case.words)
        assert db.session.scalars(select(Lead)).all() == []
        return
    assert response.status_code in (201, 303)
    [sent] = db.session.scalars(select(Submission)).all()
    assert sent.first_name == "Ana"
    assert sent.last_name == "Ruiz"
    assert sent.email == "Ana.Ruiz@example.com"
    assert sent.lead.status == LeadStatus.PENDING
    assert sent.lead.submission_count == 1
    assert case.file is not None
    assert keys() == [sent.storage_key]
    assert staged() == []
    assert content(sent.storage_key) == case.file[0]
    assert sent.sha256 == hashlib.sha256(case.file[0]).hexdigest()
    letters = db.session.scalars(select(Letter))
    owed = {(letter.kind, letter.recipient) for letter in letters}
    assert owed == {
        ("confirmation", "Ana.Ruiz@example.com"),
        ("notice", app.config["ATTORNEY_EMAIL"][0]),
    }


@DOORS
def test_the_second_time_joins_the_lead_and_opens_it_again(
    app: Flask, client: Client, door: Door
) -> None:
    first = send(door, client, CASES["good"])
    lead = db.session.scalars(select(Lead)).one()
    lead.status = LeadStatus.REACHED_OUT
    lead.reached_out_at = lead.created_at
    lead.seen_at = lead.created_at
    db.session.commit()
    again = Case(
        {"first_name": "Anita", "email": "ana.ruiz@EXAMPLE.com"}, (samples.docx(), "new.docx")
    )
    second = send(door, client, again)
    assert second.status_code == first.status_code
    assert [name for name, _ in second.headers] == [name for name, _ in first.headers]
    lead = db.session.scalars(select(Lead)).one()
    assert lead.first_name == "Ana"
    assert lead.status == LeadStatus.PENDING
    assert lead.reached_out_at is None
    assert (lead.submission_count, lead.seen_at) == (2, None)
    assert [sent.first_name for sent in lead.submissions] == ["Anita", "Ana"]
    assert len(db.session.scalars(select(Letter)).all()) == 4
    if second.is_json:
        answer = dict(second.get_json(), created_at="")
        assert answer == {
            "id": str(lead.id),
            "first_name": "Anita",
            "last_name": "Ruiz",
            "email": "ana.ruiz@EXAMPLE.com",
            "status": "PENDING",
            "created_at": "",
        }
