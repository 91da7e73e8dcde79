"""The e-mails: their recipients and their text."""

import email
import email.policy
import html
import io
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from leadapp import validation
from leadapp.extensions import db
from leadapp.models.leads import Lead
from tests import samples
from tests.clients import Client
from tests.factories import LetterFactory
from tests.integration.desk import deliver
from tests.servers import MailServer


def submit(client: Client, filename: str = "cv.pdf", **changed: str) -> None:
    fields: dict[str, object] = {
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": "ana@example.com",
        "resume": (io.BytesIO(samples.pdf()), filename),
    }
    fields.update(changed)
    sent = client.post("/api/v1/leads", data=fields)
    assert sent.status_code == 201


def test_both_letters_arrive_whole(app: Flask, client: Client, mailbox: MailServer) -> None:
    submit(client)
    deliver()
    lead = db.session.scalars(select(Lead)).one()
    [confirmation] = mailbox.to("ana@example.com")
    [notice] = mailbox.to(app.config["ATTORNEY_EMAIL"][0])
    assert lead.reference in confirmation.message["Subject"]
    assert confirmation.message["Reply-To"] == app.config["ATTORNEY_EMAIL"][0]
    assert notice.message["Subject"] == f"New lead: Ana Ruiz ({lead.reference})"
    assert notice.message["Reply-To"] == "ana@example.com"
    assert f"{app.config['BASE_URL']}/dashboard/leads/{lead.id}" in notice.text
    for sent in (confirmation, notice):
        message = sent.message
        assert message["Auto-Submitted"] == "auto-generated"
        assert re.fullmatch(r"<[0-9a-f-]{36}@example\.com>", message["Message-ID"])
        assert message["Date"].datetime.utcoffset() is not None
        assert sent.sender == app.config["SMTP_FROM_EMAIL"]
        assert [part.get_content_type() for part in message.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        assert lead.reference in sent.text
        assert len(sent.html) < 20_000


def test_each_attorney_is_told(
    app: Flask, client: Client, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ATTORNEY_EMAIL", ["ana@firm.example", "joe@firm.example"])
    submit(client)
    deliver()
    for address in ("ana@firm.example", "joe@firm.example"):
        assert len(mailbox.to(address)) == 1
    [confirmation] = mailbox.to("ana@example.com")
    assert confirmation.message["Reply-To"] == "ana@firm.example"


def test_a_first_and_a_second_confirmation_read_alike(client: Client, mailbox: MailServer) -> None:
    submit(client)
    submit(client)
    deliver()
    first, second = mailbox.to("ana@example.com")
    assert first.message["Subject"] == second.message["Subject"]
    times = re.compile(r"\d\d:\d\d|/receipt/\S+")
    assert times.sub("", first.text) == times.sub("", second.text)


EVIL = [
    "=?utf-8?q?=0d=0aBcc:_evil@example.org?=",
    "http://evil.example/now",
    "<b>Ana</b>",
    "=?utf-8?b?DQpCY2M6?= x",
    "李" * 100,
    "www.evil.example",
]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("name", EVIL)
def test_nothing_typed_becomes_a_header_markup_or_a_link(
    client: Client, mailbox: MailServer, name: str
) -> None:
    submit(client, first_name=name, last_name=name, filename=f"{name.replace('/', '')}.pdf")
    deliver()
    assert len(mailbox.messages) == 2
    for sent in mailbox.messages:
        raw = sent.raw.replace(b"\r\n", b"\n")
        headers = raw.partition(b"\n\n")[0].decode()
        assert not re.search(r"^(bcc|x-)[^\n]*evil", headers, re.IGNORECASE | re.MULTILINE)
        assert sent.recipients in (["ana@example.com"], [sent.message["To"]])
        assert "<b>Ana" not in sent.html
        for text in (sent.text, sent.html):
            assert not re.search(r"(https?://|www\.)evil", text)


@pytest.mark.databases("sqlite")
def test_the_email_of_a_lead_can_be_copied_from_the_notice_and_typed(
    app: Flask, client: Client, mailbox: MailServer
) -> None:
    address = "ana.ruiz&a%b?+1@mail.example.com"
    submit(client, email=address)
    deliver()
    [notice] = mailbox.to(app.config["ATTORNEY_EMAIL"][0])
    text = notice.text.replace("\r", "")
    [shown] = re.findall("E-mail: +(.*)", text)
    assert shown == validation.email(shown) == address
    page = notice.html
    [(link, words)] = re.findall('<a href="mailto:(.*?)".*?>(.*?)</a>', page)
    assert link == "ana.ruiz%26a%25b%3F%2B1@mail.example.com"
    assert html.unescape(words) == address


@pytest.mark.databases("sqlite")
def test_a_notice_warns_of_what_the_resume_holds(mailbox: MailServer) -> None:
    LetterFactory.create(kind="notice", submission__warnings=["runs_script"])
    deliver()
    [notice] = mailbox.messages
    for text in (notice.text, notice.html):
        assert "Warnings" in text
        assert "Runs a script when it is opened" in text


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("name", [*EVIL, "Win money now call 555 0100", "a" * 41])
def test_a_confirmation_carries_no_free_text_to_third_parties(
    client: Client, mailbox: MailServer, name: str
) -> None:
    submit(client, first_name=name, last_name="Winmoney", filename="Winmoney.pdf")
    deliver()
    [sent] = mailbox.to("ana@example.com")
    text = sent.text
    assert text.startswith("Hello,\n")
    assert "PDF, " in text
    for part in (sent.message["Subject"], text, sent.html):
        assert "Winmoney" not in part
        assert name not in part


@pytest.mark.databases("sqlite")
def test_a_confirmation_greets_by_the_first_name(client: Client, mailbox: MailServer) -> None:
    submit(client, first_name="José María")
    deliver()
    [sent] = mailbox.to("ana@example.com")
    assert sent.text.startswith("Hello José María,\n")
    assert ">Hello José María,<" in sent.html


@pytest.mark.databases("sqlite")
def test_however_long_a_name_the_reference_stands_in_the_subject_and_lines_are_short(
    client: Client, mailbox: MailServer
) -> None:
    filename = "😀" * 251 + ".pdf"
    submit(client, filename, first_name='"' * 100, last_name="李" * 100)
    deliver()
    reference = db.session.scalars(select(Lead.reference)).one()
    assert len(mailbox.messages) == 2
    for sent in mailbox.messages:
        assert f"({reference})" in sent.message["Subject"]
        assert max(map(len, sent.raw.splitlines())) < 998


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("name", ["José", "é" * 30, "李" * 60, "Ana"])
def test_each_header_begins_on_its_own_line(
    client: Client, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(client.application.config, "SMTP_FROM_NAME", f"{name} & Partners, LLP")
    submit(client, first_name=name, last_name="Álvarez")
    deliver()
    assert len(mailbox.messages) == 2
    for sent in mailbox.messages:
        headers = sent.raw.partition(b"\r\n\r\n")[0].decode("ascii")
        assert ":\r\n" not in headers
        for line in headers.split("\r\n"):
            assert "=?" not in line or len(line) <= 76  # RFC 2047, 2
        # Python's parser puts a space between two encoded words of a name.
        sender = sent.message["From"].replace(" ", "")
        assert sender.startswith(f'"{name}&Partners,LLP"')


@pytest.mark.databases("sqlite")
def test_a_letter_to_an_international_domain_does_not_go_to_another(
    client: Client, mailbox: MailServer
) -> None:
    # IDNA 2003 maps this domain to fass.de.
    submit(client, email="ana@faß.de")
    deliver()
    confirmation, notice = sorted(
        mailbox.messages, key=lambda sent: sent.message["Subject"], reverse=True
    )
    assert (confirmation.recipients, notice.message["Reply-To"]) == (
        ["ana@xn--fa-hia.de"],
        "ana@xn--fa-hia.de",
    )


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("name", "shown"),
    [("", "Müller & Söhne"), ("Intake", "Intake")],
)
def test_letters_are_from_the_firm_unless_another_name_is_set(
    app: Flask,
    client: Client,
    mailbox: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    shown: str,
) -> None:
    monkeypatch.setitem(app.config, "FIRM_NAME", "Müller & Söhne")
    if name:
        monkeypatch.setitem(app.config, "SMTP_FROM_NAME", name)
    submit(client)
    deliver()
    senders = [sent.message["From"].addresses[0] for sent in mailbox.messages]
    assert {sender.display_name for sender in senders} == {shown}


@pytest.mark.databases("sqlite")
def test_the_firm_may_have_an_international_domain(
    app: Flask, client: Client, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SMTP_FROM_EMAIL", "leads@faß.example")
    submit(client)
    deliver()
    assert {sent.sender for sent in mailbox.messages} == {"leads@xn--fa-hia.example"}
    for sent in mailbox.messages:
        assert sent.message["Message-ID"].endswith("@xn--fa-hia.example>")
        assert "<leads@xn--fa-hia.example>" in sent.message["From"]


@pytest.mark.databases("sqlite")
def test_without_a_mail_server_letters_become_files_that_development_shows(
    app: Flask, client: Client
) -> None:
    assert "/dev/outbox" in app.url_map._rules_by_endpoint["outbox.list_letters"][0].rule
    submit(client)
    deliver()
    outbox = Path(app.instance_path) / "outbox"
    recipients = set()
    for file in outbox.glob("*.eml"):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        recipients.add(message["To"])
    assert recipients == {"ana@example.com", app.config["ATTORNEY_EMAIL"][0]}
    page = client.get("/dev/outbox").text
    assert "New lead: Ana Ruiz" in page
    assert "We have your details" in page
