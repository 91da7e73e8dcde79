"""The HTML of e-mails fits a phone, loads no remote files and reads well in inverted colors."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from leadapp import tokens
from leadapp.accent import contrast
from leadapp.clock import now
from leadapp.extensions import db
from leadapp.formatting import when
from leadapp.models.leads import Submission
from leadapp.models.letters import Letter
from leadapp.resumes.formats import WARNINGS
from tests.clients import Client
from tests.factories import LetterFactory, SubmissionFactory
from tests.integration.desk import deliver, submit
from tests.servers import MailServer

pytestmark = pytest.mark.databases("sqlite")
KINDS = ("confirmation", "notice", "erasure")
WARNED = ["macros", "password_protected", "runs_script"]


def delivered(mailbox: MailServer, kind: str) -> tuple[Letter, str]:
    """Delivers an e-mail of this kind. Returns its stored row and the HTML that arrived."""
    submission = SubmissionFactory.create(warnings=WARNED, lead__erasure_asked_at=now())
    letter = LetterFactory.create(kind=kind, submission=submission)
    deliver()
    db.session.rollback()
    return letter, mailbox.wait_for(1)[0].html


def styles(page: str) -> Iterator[dict[str, str]]:
    """Yields the CSS declarations of each element with a style."""
    for style in re.findall(r'style="([^"]*)"', page):
        declarations = [part for part in style.split(";") if ":" in part]
        yield dict(declaration.split(":", 1) for declaration in declarations)


def inverted(color: str) -> str:
    return f"#{0xFFFFFF - int(color[1:], 16):06x}"


@pytest.mark.parametrize("kind", KINDS)
def test_an_e_mail_is_one_column_of_at_most_600_pixels(mailbox: MailServer, kind: str) -> None:
    _, page = delivered(mailbox, kind)
    assert "max-width:600px" in page
    widths = [int(width) for width in re.findall(r"(?:width[:=]\"?)(\d+)(?:px|\")", page)]
    assert max(widths) <= 600
    assert len(page.encode()) < 20_000


@pytest.mark.parametrize("kind", KINDS)
def test_an_e_mail_loads_nothing(mailbox: MailServer, kind: str) -> None:
    _, page = delivered(mailbox, kind)
    assert not re.search(r"<(img|link|style|script|iframe|video)\b|url\(|src=", page)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("invert", [False, True])
def test_text_stands_out_from_its_ground_also_when_inverted(
    mailbox: MailServer, kind: str, invert: bool
) -> None:
    _, page = delivered(mailbox, kind)
    ground = "#ffffff"
    pairs = []
    for style in styles(page):
        paper = style.get("background", ground)
        if "color" in style:
            pairs.append((style["color"], paper))
        else:
            ground = paper
    assert len(pairs) > 5
    if invert:
        pairs = [(inverted(ink), inverted(paper)) for ink, paper in pairs]
    for ink, paper in pairs:
        assert contrast(ink, paper) >= 4.5, f"{ink} on {paper}"


def test_a_notice_leads_to_the_lead_and_names_the_warnings(app: Flask, mailbox: MailServer) -> None:
    letter, page = delivered(mailbox, "notice")
    assert letter.submission is not None
    lead = letter.submission.lead
    assert f'href="{app.config["BASE_URL"]}/dashboard/leads/{lead.id}"' in page
    assert "Warnings" in page
    assert all(WARNINGS[code] in page for code in WARNED)


def test_the_page_after_sending_says_when_and_in_which_zone(app: Flask, client: Client) -> None:
    sent = submit(client, "ana@example.com")
    assert sent.status_code == 201
    submission = db.session.scalars(select(Submission)).one()
    page = client.get(f"/submitted/{tokens.sign_page('submitted', submission.id)}").text
    moment = submission.created_at
    assert f'<time datetime="{moment.isoformat(timespec="seconds")}">{when(moment)}</time>' in page
    assert f"Times are in {app.config['TIMEZONE']}" in page
