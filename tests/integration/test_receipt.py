"""The receipt that the confirmation links to, and the request for erasure."""

import io
import re

import pytest
from flask import Flask
from sqlalchemy import select

from leadapp import tokens
from leadapp.extensions import db
from leadapp.models.leads import Event, Lead, LeadStatus
from leadapp.models.letters import Letter
from tests import samples
from tests.clients import Client
from tests.integration.desk import deliver
from tests.servers import MailServer


def submit(client: Client, first_name: str, email: str) -> None:
    data = {
        "first_name": first_name,
        "last_name": "Ruiz",
        "email": email,
        "resume": (io.BytesIO(samples.pdf()), "cv.pdf"),
    }
    sent = client.post("/api/v1/leads", data=data)
    assert sent.status_code == 201


@pytest.fixture
def link(client: Client, mailbox: MailServer) -> str:
    """Returns the receipt link from the confirmation of one submission."""
    submit(client, "Ana", "ana@example.com")
    deliver()
    [letter] = mailbox.to("ana@example.com")
    found = re.search(r"http://[^/]+(/receipt/\S+)", letter.text)
    assert found
    return found[1]


def test_the_receipt_says_how_things_stand_and_no_more(client: Client, link: str) -> None:
    lead = db.session.scalars(select(Lead)).one()
    page = client.get(link)
    assert lead.reference in page.text
    assert "received" in page.text.lower()
    for private in ("Ruiz", "ana@example.com", "cv.pdf"):
        assert private not in page.text
    lead.status, lead.reached_out_at = LeadStatus.REACHED_OUT, lead.created_at
    db.session.commit()
    assert "has been in touch" in client.get(link).text
    assert "no-store" in page.headers["Cache-Control"]


def test_asking_to_be_erased_takes_two_steps(
    app: Flask, client: Client, signed_in: Client, link: str, mailbox: MailServer
) -> None:
    assert client.get(f"{link}?step=erase").status_code == 200
    lead = db.session.scalars(select(Lead)).one()
    assert lead.erasure_asked_at is None
    for _ in range(2):
        assert client.post(link).status_code == 303
    deliver()
    asked = [
        sent
        for sent in mailbox.to(app.config["ATTORNEY_EMAIL"][0])
        if "Erasure" in sent.message["Subject"]
    ]
    assert len(asked) == 1
    assert lead.reference in asked[0].message["Subject"]
    by_age = select(Event.kind).order_by(Event.id)
    kinds = db.session.scalars(by_age).all()
    assert kinds == ["submitted", "erasure_asked"]
    assert "requested erasure" in signed_in.get(f"/dashboard/leads/{lead.id}").text
    assert "asked" in client.get(link).text


@pytest.mark.databases("sqlite")
def test_a_receipt_that_was_not_signed_here_is_not_found(client: Client, link: str) -> None:
    letter = db.session.scalars(select(Letter)).first()
    assert letter is not None
    assert letter.submission_id is not None
    foreign = tokens.sign_page("submitted", letter.submission_id)
    for token in ("made-up", foreign):
        assert client.get(f"/receipt/{token}").status_code == 404
        assert client.post(f"/receipt/{token}").status_code == 404


def test_an_address_is_not_flooded_with_confirmations(client: Client, mailbox: MailServer) -> None:
    for number in range(7):
        # Each address has another spelling.
        address = "ana@example.com"[:number].upper() + "ana@example.com"[number:]
        submit(client, f"Ana {number}", address)
    kinds = db.session.scalars(select(Letter.kind)).all()
    assert kinds.count("confirmation") == 5
    assert kinds.count("notice") == 7
    lead = db.session.scalars(select(Lead)).one()
    assert lead.submission_count == 7
