"""The replies of mail servers, and whether an e-mail waits or has failed after an error."""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

# Replies that require a sign-in or reject the order of the commands.
NOT_ABOUT_THE_MESSAGE = (503, 530, 534, 535, 538)
CLOSING = 421  # the server closes the connection
CROWDED = (CLOSING, 432)  # also the replies to too many connections, 432 by Exchange
# RFC 3463; some servers write it as "#5.1.1". A number with more parts is an IP address.
ENHANCED_CODE = re.compile(r"\W*([245]\.\d{1,3}\.\d{1,3})(?![.\d])")
SENDER_REFUSED = ("5.1.7", "5.1.8")
RECIPIENT_REFUSED = ("5.1.", "5.2.")
CONTENT_REFUSED = ("5.6.", "5.3.4")
FINAL_AFTER_DATA = RECIPIENT_REFUSED + CONTENT_REFUSED


class NotSent(Exception):
    """The e-mail was not sent; `final` is true if another attempt cannot succeed.

    `crowded` is true if the server may have refused because too many connections are open.
    """

    def __init__(self, reason: str, final: bool = False, crowded: bool = False) -> None:
        super().__init__(reason)
        self.final = final
        self.crowded = crowded


class Closed(smtplib.SMTPServerDisconnected):
    """The connection ended before the content of an e-mail was sent."""


def check(reply: tuple[int, bytes]) -> None:
    """Raise SMTPResponseException with the server's text unless the reply is positive."""
    code, words = reply
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, words)


@contextmanager
def raising_not_sent(connecting: bool = False) -> Iterator[None]:
    """Raise NotSent, with the reason, in place of any error while sending.

    Only a refusal of the recipient or of the content is final. Other errors may be temporary.
    """
    try:
        yield
    except NotSent:
        raise
    except Exception as error:
        failure = _failure(error)
        failure.crowded = connecting or getattr(error, "smtp_code", None) in CROWDED
        raise failure from error


def _failure(error: Exception) -> NotSent:
    """Return NotSent with the reason for this error."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [reply] = error.recipients.values()
        code, words = reply
        return _refusal(code, words, RECIPIENT_REFUSED)
    if isinstance(error, smtplib.SMTPDataError):
        return _refusal(error.smtp_code, error.smtp_error, FINAL_AFTER_DATA)
    if isinstance(error, smtplib.SMTPResponseException):
        return NotSent(reason(error.smtp_code, error.smtp_error))
    if isinstance(error, smtplib.SMTPException):  # an OSError, too
        return NotSent(str(error))
    if isinstance(error, OSError):
        cause = error.strerror or str(error)
        return NotSent(f"The mail server cannot be reached: {cause}")
    return NotSent(f"{type(error).__name__}: {error}")


def _refusal(code: int, words: bytes | str, final: tuple[str, ...]) -> NotSent:
    """Return NotSent for a reply to RCPT or DATA; `final` has the prefixes of final codes."""
    reply = reason(code, words)
    if code < 500 or code in NOT_ABOUT_THE_MESSAGE:
        return NotSent(reply)
    text = reply.partition(" ")[2]
    enhanced = ENHANCED_CODE.match(text)
    if enhanced is None:
        return NotSent(reply, final=True)
    # Postfix rejects a sender only in its reply to RCPT.
    if enhanced[1] in SENDER_REFUSED:
        return NotSent(reply)
    return NotSent(reply, final=enhanced[1].startswith(final))


def reason(code: int, words: bytes | str) -> str:
    """Return a reply as one text, in the server's own words."""
    if isinstance(words, bytes):
        words = words.decode(errors="replace")
    return f"{code} {words}".replace("\0", "")  # PostgreSQL cannot store NUL
