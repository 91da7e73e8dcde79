"""One connection to the SMTP server; or files, if no server is set."""

import functools
import os
import smtplib
import ssl
from base64 import b64encode
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from flask_mail import Connection, Message

from .. import normalize
from ..config import settings
from ..config.checks import LOOPBACK
from .replies import CLOSING, Closed, NotSent, check, raising_not_sent, reason

TIMEOUT = 10
TLS_PORT = 465
# Loads this machine's CA certificates once. Loading them takes longer than the rest of an e-mail.
trusting = functools.cache(ssl.create_default_context)


class VerifiedConnection(Connection):
    """Flask-Mail's connection with a timeout and verified certificates, for a run of e-mails."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt the connection, and sign in."""
        host = _connect(settings.SMTP_HOST, settings.SMTP_PORT)
        try:
            check(host.ehlo())
            encrypted = settings.SMTP_PORT == TLS_PORT
            if not encrypted and settings.SMTP_HOST not in LOOPBACK:
                host.starttls(context=trusting())
                host.ehlo_or_helo_if_needed()
            if settings.SMTP_USERNAME:
                _sign_in(host, settings.SMTP_USERNAME, settings.SMTP_PASSWORD)
        except BaseException:
            host.close()
            raise
        return host

    def send(self, message: Message, envelope_from: object = None) -> None:
        """Send an e-mail; raise Closed if the connection ended before its content was sent.

        After Closed, it is safe to send the e-mail over another connection at once. smtplib's
        sendmail() does not show whether the content was sent.
        """
        if self.host is None:  # MAIL_SUPPRESS_SEND is set
            return
        content = message.as_bytes()
        try:
            _name_sender_and_recipient(self.host, message, len(content))
        except smtplib.SMTPServerDisconnected as error:
            raise Closed(str(error)) from error
        code, words = self.host.data(content)
        if code != 250:
            raise smtplib.SMTPDataError(code, words)

    def reset(self) -> bool:
        """End the exchange of a refused e-mail. Returns whether the connection still works."""
        try:
            return self.host is None or self.host.rset()[0] == 250
        except smtplib.SMTPException:
            return False

    def __exit__(self, *_exception: object) -> None:
        """Send QUIT and do not wait for the answer: the server has answered each message."""
        if self.host:
            with suppress(smtplib.SMTPException):  # the connection has ended already
                self.host.putcmd("QUIT")
            self.host.close()


def connect() -> VerifiedConnection:
    """Open a connection, or raise NotSent with the reason."""
    with raising_not_sent(connecting=True):
        return VerifiedConnection(current_app.extensions["mail"]).__enter__()


def _name_sender_and_recipient(host: smtplib.SMTP, message: Message, size: int) -> None:
    """Send the commands before the content; raise an error if the server refuses one."""
    options = [f"size={size}"] if host.has_extn("size") else []
    check(_unless_closing(host.mail(str(message.sender), options)))
    [recipient] = message.recipients
    reply = _unless_closing(host.rcpt(str(recipient)))
    if reply[0] not in (250, 251):
        raise smtplib.SMTPRecipientsRefused({str(recipient): reply})


def _unless_closing(reply: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return the reply; raise an error if it announces that the server closes the connection."""
    if reply[0] == CLOSING:
        raise smtplib.SMTPServerDisconnected(reason(*reply))
    return reply


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


def _sign_in(host: smtplib.SMTP, username: str, password: str) -> None:
    """Sign in with UTF-8 credentials (RFC 4616), or raise SMTPAuthenticationError.

    smtplib's login() encodes as ASCII. After a refusal it tries the next method. If the server has
    closed the connection by then, the text of its refusal is lost. So login() is used only if the
    server offers neither PLAIN nor LOGIN.
    """
    host.ehlo_or_helo_if_needed()
    offered = host.esmtp_features.get("auth", "")
    methods = offered.upper().split()
    if "PLAIN" in methods:
        credentials = _base64(f"\0{username}\0{password}")
        code, words = host.docmd("AUTH", f"PLAIN {credentials}")
    elif "LOGIN" in methods:
        code, words = host.docmd("AUTH", "LOGIN")
        for text in (username, password):
            if code == 334:
                code, words = host.docmd(_base64(text))
    else:
        code, words = host.login(username, password)
    if not 200 <= code < 300:
        raise smtplib.SMTPAuthenticationError(code, words)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def reach() -> None:
    """Connect, sign in and name the sender, but send no message; raise NotSent on failure."""
    sender = normalize.ascii_email(settings.SMTP_FROM_EMAIL)
    with raising_not_sent(), VerifiedConnection(current_app.extensions["mail"]) as connection:
        host = connection.host
        if host is None:  # MAIL_SUPPRESS_SEND is set
            return
        check(host.mail(sender))
        check(host.rset())


def outbox() -> Path:
    """Return the folder that receives the e-mails if no mail server is set."""
    return Path(current_app.instance_path) / "outbox"


def write(message: Message) -> None:
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
