"""Sends e-mails to the SMTP server, or writes them to files if no server is set."""

import email
import functools
import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.charset import QP, SHORTEST, add_charset
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from flask import current_app
from flask_mail import Connection, Message

from .. import normalize
from ..config import settings
from ..config.checks import LOOPBACK

TIMEOUT = 10
TLS_PORT = 465
# Replies that require a sign-in or reject the order of the commands.
NOT_ABOUT_THE_MESSAGE = (503, 530, 534, 535, 538)
# RFC 3463; some servers write it as "#5.1.1". A number with more parts is an IP address.
ENHANCED_CODE = re.compile(r"\W*([245]\.\d{1,3}\.\d{1,3})(?![.\d])")
SENDER_REFUSED = ("5.1.7", "5.1.8")
RECIPIENT_REFUSED = ("5.1.", "5.2.")
CONTENT_REFUSED = ("5.6.", "5.3.4")
FINAL_AFTER_DATA = RECIPIENT_REFUSED + CONTENT_REFUSED
# Quoted-printable keeps every line within 998 bytes (RFC 5322, 2.1.1), for any text from a form.
add_charset("utf-8", SHORTEST, QP)
# Loads this machine's CA certificates once. Loading them takes longer than the rest of an e-mail.
trusting = functools.cache(ssl.create_default_context)


class NotSent(Exception):
    """The e-mail was not sent; `final` is true if another attempt cannot succeed."""

    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Alternatives(Message):
    """Text and HTML as multipart/alternative; Flask-Mail would add an outer multipart/mixed."""

    @functools.cached_property
    def content(self) -> bytes:
        """The bytes of the message as they are sent."""
        whole = email.message_from_bytes(super().as_bytes())
        parts = cast(list[email.message.Message], whole.get_payload())
        [alternative] = parts
        whole.set_payload(alternative.get_payload())
        whole.set_type("multipart/alternative")
        return whole.as_bytes(policy=policy.SMTP)

    def as_bytes(self) -> bytes:
        """Return the message as bytes, which are built only once."""
        return self.content


class VerifiedConnection(Connection):
    """Flask-Mail's connection with a timeout and verified certificates; QUIT may fail."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt the connection, and sign in."""
        host = _connect(settings.SMTP_HOST, settings.SMTP_PORT)
        try:
            _check(host.ehlo())
            encrypted = settings.SMTP_PORT == TLS_PORT
            if not encrypted and settings.SMTP_HOST not in LOOPBACK:
                host.starttls(context=trusting())
            if settings.SMTP_USERNAME:
                _sign_in(host, settings.SMTP_USERNAME, settings.SMTP_PASSWORD)
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(self, *_exception: object) -> None:
        """Send QUIT and ignore an error: the server has already answered the message."""
        if self.host:
            try:
                self.host.quit()
            except (OSError, smtplib.SMTPException):
                self.host.close()


def _connect(server: str, port: int) -> smtplib.SMTP:
    """Connect; on TLS_PORT, the connection is encrypted from the start."""
    name = _own_name()
    if port != TLS_PORT:
        return smtplib.SMTP(server, port, local_hostname=name, timeout=TIMEOUT)
    return smtplib.SMTP_SSL(server, port, local_hostname=name, timeout=TIMEOUT, context=trusting())


def _own_name() -> str:
    """Return the host of BASE_URL for EHLO, an IP address in brackets (RFC 5321, 4.1.3)."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host.encode("idna").decode()
    if address.version == 6:
        return f"[IPv6:{address}]"
    return f"[{address}]"


def _check(reply: tuple[int, bytes]) -> None:
    """Raise SMTPResponseException with the server's text unless the reply is positive."""
    code, words = reply
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, words)


def _sign_in(host: smtplib.SMTP, username: str, password: str) -> None:
    """Sign in with UTF-8 credentials (RFC 4616).

    smtplib's login() encodes as ASCII. After a refusal it tries the next method. If the server has
    closed the connection by then, the text of its refusal is lost. So login() is used only if the
    server offers neither PLAIN nor LOGIN.
    """
    host.ehlo_or_helo_if_needed()
    offered = host.esmtp_features.get("auth", "")
    methods = offered.upper().split()
    if "PLAIN" in methods:
        credentials = _base64(f"\0{username}\0{password}")
        _check(host.docmd("AUTH", f"PLAIN {credentials}"))
    elif "LOGIN" in methods:
        code, words = host.docmd("AUTH", "LOGIN")
        for text in (username, password):
            if code == 334:
                code, words = host.docmd(_base64(text))
        _check((code, words))
    else:
        host.login(username, password)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def send(message: Message) -> None:
    """Send an e-mail, or raise NotSent with the reason."""
    if not settings.SMTP_HOST:
        _write(message)
        return
    with _reasons(), VerifiedConnection(current_app.extensions["mail"]) as connection:
        connection.send(message)


def reach() -> None:
    """Connect, sign in and name the sender, but send no message; raise NotSent on failure."""
    sender = normalize.ascii_email(settings.SMTP_FROM_EMAIL)
    with _reasons(), VerifiedConnection(current_app.extensions["mail"]) as connection:
        host = connection.host
        if host is None:  # MAIL_SUPPRESS_SEND is set
            return
        host.ehlo_or_helo_if_needed()
        _check(host.mail(sender))
        _check(host.rset())


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn any error while sending into NotSent.

    Only a refusal of the recipient or of the content is final. Other errors may be temporary.
    """
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        [reply] = error.recipients.values()
        code, words = reply
        raise _refusal(code, words, RECIPIENT_REFUSED) from error
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error, FINAL_AFTER_DATA) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(_reason(error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPException as error:  # an OSError, too
        raise NotSent(str(error)) from error
    except OSError as error:
        cause = error.strerror or str(error)
        raise NotSent(f"The mail server cannot be reached: {cause}") from error
    except Exception as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error


def _refusal(code: int, words: bytes | str, final: tuple[str, ...]) -> NotSent:
    """Return NotSent for a reply to RCPT or DATA; `final` has the prefixes of final codes."""
    reason = _reason(code, words)
    if code < 500 or code in NOT_ABOUT_THE_MESSAGE:
        return NotSent(reason)
    text = reason.partition(" ")[2]
    enhanced = ENHANCED_CODE.match(text)
    if enhanced is None:
        return NotSent(reason, final=True)
    # Postfix rejects a sender only in its reply to RCPT.
    if enhanced[1] in SENDER_REFUSED:
        return NotSent(reason)
    return NotSent(reason, final=enhanced[1].startswith(final))


def outbox() -> Path:
    """Return the folder that receives the e-mails if no mail server is set."""
    return Path(current_app.instance_path) / "outbox"


def _write(message: Message) -> None:
    """Write an e-mail to the outbox, or raise NotSent."""
    letter_id = message.msgId.removeprefix("<").partition("@")[0]
    path = outbox() / f"{letter_id}.eml"
    draft = path.with_suffix(".part")
    try:
        outbox().mkdir(mode=0o700, exist_ok=True)
        draft.write_bytes(message.as_bytes())
        os.replace(draft, path)
    except OSError as error:
        raise NotSent(f"{path} cannot be written: {error.strerror}") from error


def _reason(code: int, words: bytes | str) -> str:
    if isinstance(words, bytes):
        words = words.decode(errors="replace")
    return f"{code} {words}".replace("\0", "")  # PostgreSQL cannot store NUL
