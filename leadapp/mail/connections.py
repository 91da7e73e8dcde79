"""Connections to the mail server that stay open for a run of e-mails."""

import smtplib
import time

from flask_mail import Message

from ..config import settings
from . import smtp
from .replies import CROWDED, Closed, NotSent, raising_not_sent

# Some mail servers lock an account after a few refused sign-ins. So after one, no connection is
# opened for this time, and the e-mails that need one wait.
SIGN_IN_AGAIN_SECONDS = 60


class Connections:
    """The open connections. Several threads may send, each over its own connection."""

    def __init__(self) -> None:
        # Each with the time of its last e-mail. The one that was used last is the last.
        self._unused: list[tuple[float, smtp.VerifiedConnection]] = []
        self._refused_at = 0.0
        self._refusal = ""  # the reply to the last refused sign-in

    def send(self, message: Message) -> None:
        """Send an e-mail, or raise NotSent with the reason."""
        if not settings.SMTP_HOST:
            smtp.write(message)
            return
        with raising_not_sent():
            try:
                if self._send_over_unused(message):
                    return
            except Closed:  # the server did not wait for another e-mail: open a new connection
                pass
        connection = self._connect()
        with raising_not_sent():
            self._send(connection, message)

    def close_unused(self, seconds: float) -> None:
        """Close the connections that were not used for this time."""
        while self._unused and self._unused[0][0] <= time.monotonic() - seconds:
            _, connection = self._unused.pop(0)
            connection.__exit__()

    def _connect(self) -> smtp.VerifiedConnection:
        """Open a connection, or raise NotSent; soon after a refused sign-in, do not try."""
        if self._refusal and time.monotonic() < self._refused_at + SIGN_IN_AGAIN_SECONDS:
            raise NotSent(self._refusal, crowded=True)
        try:
            return smtp.connect()
        except NotSent as error:
            cause = error.__cause__
            if isinstance(cause, smtplib.SMTPAuthenticationError):
                self._note_refusal(error, cause.smtp_code)
            raise

    def _note_refusal(self, error: NotSent, code: int) -> None:
        if code not in CROWDED:
            self._refused_at = time.monotonic()
            self._refusal = str(error)

    def _send_over_unused(self, message: Message) -> bool:
        """Send over the connection that was used last; return False if there is none."""
        try:
            _, connection = self._unused.pop()
        except IndexError:
            return False
        self._send(connection, message)
        return True

    def _send(self, connection: smtp.VerifiedConnection, message: Message) -> None:
        """Send over this connection, and keep it if it can be used again."""
        usable = False
        try:
            connection.send(message)
            usable = True
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
            usable = connection.reset()
            raise
        finally:
            if usable:
                self._unused.append((time.monotonic(), connection))
            else:
                connection.__exit__()


def send(message: Message) -> None:
    """Send one e-mail over a new connection, or raise NotSent with the reason."""
    connections = Connections()
    try:
        connections.send(message)
    finally:
        connections.close_unused(seconds=0)
