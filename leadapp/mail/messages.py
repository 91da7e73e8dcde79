"""The kinds of e-mail, and the content of each."""

import secrets
import time
from email import policy
from email.charset import QP, SHORTEST, add_charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate, parseaddr, quote
from functools import cached_property
from typing import Any, NamedTuple

from flask import render_template
from flask_mail import Message
from sqlalchemy import select

from .. import normalize, tokens
from ..config import settings
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Submission
from ..models.letters import Letter

HEADER_MAX = 300  # enough for a subject with two long names
# Quoted-printable keeps every line within 998 bytes (RFC 5322, 2.1.1), for any text from a form.
add_charset("utf-8", SHORTEST, QP)
WITH_CRLF = policy.compat32.clone(linesep="\r\n")


def _encode(header_name: str, text: str) -> str:
    """Return the value of a header, with encoded words if the text is not ASCII.

    Flask-Mail's functions ignore the length of the header's name, so a long first word would move
    to the next line. The email package exceeds its limit by two characters, and RFC 2047 allows 76.
    """
    return Header(text, header_name=header_name, maxlinelen=74).encode()


class Alternatives(Message):
    """Text and HTML as multipart/alternative; Flask-Mail would add an outer multipart/mixed."""

    @cached_property
    def content(self) -> bytes:
        """The bytes of the message as they are sent."""
        # Quoted-printable never contains "=_" (RFC 2045, 6.7), so this boundary is in no part.
        # Without it, the email package writes all parts once more to find one.
        mime = MIMEMultipart("alternative", boundary=f"=_{secrets.token_hex(16)}")
        mime["Subject"] = _encode("Subject", self.subject)
        name, address = parseaddr(str(self.sender))
        mime["From"] = formataddr((_encode("From", name), address))
        mime["To"] = ", ".join(map(str, self.recipients))
        mime["Date"] = formatdate(self.date, localtime=True)
        mime["Message-ID"] = self.msgId
        if self.reply_to:
            mime["Reply-To"] = str(self.reply_to)
        mime["Auto-Submitted"] = "auto-generated"
        mime.attach(MIMEText(self.body or "", "plain", "utf-8"))
        mime.attach(MIMEText(self.html or "", "html", "utf-8"))
        # Flask-Mail's policy, SMTP, parses each header once more, which doubles the time.
        return mime.as_bytes(policy=WITH_CRLF)

    def as_bytes(self) -> bytes:
        """Return the message as bytes, which are built only once."""
        return self.content


class Kind(NamedTuple):
    """A template, as text and as HTML, and the subject, filled in with the template's values."""

    template: str
    subject: str


KINDS = {
    "confirmation": Kind("mail/confirmation", "We have your details ({submission.lead.reference})"),
    "notice": Kind(
        "mail/notice",
        "New lead: {submission.first_name} {submission.last_name} ({submission.lead.reference})",
    ),
    "erasure": Kind(
        "mail/erasure",
        "Erasure requested: {submission.first_name} {submission.last_name} "
        "({submission.lead.reference})",
    ),
    "registration": Kind("mail/registration", "Your e-mail address was used to request an account"),
    "reset": Kind("mail/reset", "Set a new password"),
    "reminder": Kind("mail/reminder", "{summary}"),
    "test": Kind("mail/test", "Test e-mail"),
}


def compose(letter: Letter) -> Message | None:
    """Compose the e-mail, or return None if it has no recipient; the row then counts as sent."""
    if letter.submission is None:
        return _compose_to_user(letter)
    if letter.kind == "confirmation":
        return _compose_confirmation(letter, letter.submission)
    return build(
        letter.kind,
        letter.recipient,
        str(letter.id),
        reply_to=letter.submission.email,
        submission=letter.submission,
    )


def _compose_confirmation(letter: Letter, submission: Submission) -> Message:
    """Compose a confirmation; a reply goes to the first attorney, if any."""
    token = tokens.sign_page("receipt", submission.id)
    attorneys = settings.ATTORNEY_EMAIL
    return build(
        "confirmation",
        letter.recipient,
        str(letter.id),
        reply_to=attorneys[0] if attorneys else None,
        submission=submission,
        receipt_url=f"{settings.BASE_URL}/receipt/{token}",
    )


def _compose_to_user(letter: Letter) -> Message | None:
    """Compose a reset or registration e-mail; return None if no active user has the address."""
    query = select(User).where(User.email_key == letter.recipient, User.is_active)
    user = db.session.scalar(query)
    db.session.commit()  # no transaction stays open while the mail server responds
    if user is None:
        return None
    if letter.kind == "registration":
        path = "login"
    else:
        token = tokens.sign_reset(user.id, user.hashed_password)
        path = f"reset/{token}"
    return build(
        letter.kind,
        user.email,
        str(letter.id),
        username=user.username,
        link=f"{settings.BASE_URL}/auth/{path}",
    )


def header(text: str) -> str:
    """Return text as one printable, short line without encoded words (CVE-2024-6923)."""
    characters = [character if character.isprintable() else " " for character in text]
    return "".join(characters).replace("=?", "= ?")[:HEADER_MAX]


def build(
    kind: str,
    recipient: str,
    letter_id: str,
    reply_to: str | None = None,
    **values: Any,
) -> Message:
    """Compose an e-mail of this kind from `values`; errors are raised before sending.

    The Message-ID is built from `letter_id`, so it is the same in every attempt.
    """
    template, subject = KINDS[kind]
    from_name = settings.SMTP_FROM_NAME or settings.FIRM_NAME
    from_email = normalize.ascii_email(settings.SMTP_FROM_EMAIL)
    if reply_to:
        reply_to = normalize.ascii_email(reply_to)
    message = Alternatives(
        header(subject.format(**values)),
        recipients=[normalize.ascii_email(recipient)],
        body=render_template(f"{template}.txt", **values),
        html=render_template(f"{template}.html", **values),
        sender=f'"{quote(header(from_name))}" <{from_email}>',
        reply_to=reply_to,
        date=time.time(),
    )
    domain = from_email.rpartition("@")[2]
    message.msgId = f"<{letter_id}@{domain}>"
    message.as_bytes()  # raises the error of a message that cannot be written
    return message
