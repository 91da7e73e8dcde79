"""The content of each kind of e-mail."""

import time
from email.utils import quote
from typing import Any

from flask import current_app, render_template
from flask_mail import Message
from sqlalchemy import select

from .. import normalize, tokens
from ..config import settings
from ..extensions import db
from ..models.accounts import User
from ..models.letters import Letter
from .smtp import Alternatives


def compose(letter: Letter) -> Message | None:
    """Compose the e-mail, or return None if it has no recipient; the row then counts as sent."""
    if (sent := letter.submission) is None:
        return _compose_to_user(letter)
    reference = sent.lead.reference
    subject = {
        "confirmation": f"We have your details ({reference})",
        "notice": f"New lead: {sent.first_name} {sent.last_name} ({reference})",
        "erasure": f"Erasure requested: {sent.first_name} {sent.last_name} ({reference})",
    }[letter.kind]
    reply_to: str | None = sent.email
    receipt_url = None
    if letter.kind == "confirmation":
        reply_to = next(iter(settings["ATTORNEY_EMAIL"]), None)
        receipt_url = f"{settings['BASE_URL']}/receipt/{tokens.sign_page('receipt', sent.id)}"
    facts = {"submission": sent, "receipt_url": receipt_url}
    return build(letter.kind, subject, letter.recipient, str(letter.id), reply_to, **facts)


def _compose_to_user(letter: Letter) -> Message | None:
    """Compose a reset or registration e-mail; return None if no active user has the address."""
    user = db.session.scalar(select(User).where(User.email_key == letter.recipient, User.is_active))
    db.session.commit()  # no transaction stays open while the mail server responds
    if user is None:
        return None
    if letter.kind == "registration":
        subject = "Your e-mail address was used to request an account"
        facts = {"username": user.username, "link": f"{settings['BASE_URL']}/auth/login"}
        return build("registration", subject, user.email, str(letter.id), **facts)
    link = f"{settings['BASE_URL']}/auth/reset/{tokens.sign_reset(user.id, user.hashed_password)}"
    return build(
        "reset", "Set a new password", user.email, str(letter.id), username=user.username, link=link
    )


HEADER_MAX = 300  # enough for a subject with two long names


def header(text: str) -> str:
    """Return text as one printable, short line without encoded words (CVE-2024-6923)."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    return kept.replace("=?", "= ?")[:HEADER_MAX]


def build(
    template: str,
    subject: str,
    recipient: str,
    letter_id: str,
    reply_to: str | None = None,
    **facts: Any,
) -> Message:
    """Compose an e-mail from `mail/<template>.txt` and `.html`; errors are raised before sending.

    The Message-ID is built from `letter_id`, so it is the same in every attempt.
    """
    name = settings["SMTP_FROM_NAME"] or settings["FIRM_NAME"]
    sender = normalize.ascii_email(settings["SMTP_FROM_EMAIL"])
    with current_app.test_request_context(base_url=settings["BASE_URL"]):
        message = Alternatives(
            header(subject),
            recipients=[normalize.ascii_email(recipient)],
            body=render_template(f"mail/{template}.txt", **facts),
            html=render_template(f"mail/{template}.html", **facts),
            sender=f'"{quote(header(name))}" <{sender}>',
            reply_to=reply_to and normalize.ascii_email(reply_to),
            date=time.time(),
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
    message.msgId = f"<{letter_id}@{sender.rpartition('@')[2]}>"
    message.as_bytes()
    return message
