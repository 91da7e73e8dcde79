"""A message that the mail server of the tests has received."""

from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True)
class Received:
    """A message: its envelope, its bytes as received, and the parsed message.

    The parsed message has Python's own line ends.
    """

    sender: str
    recipients: list[str]
    raw: bytes
    message: EmailMessage
    at: float

    @property
    def text(self) -> str:
        """The plain-text part."""
        return part(self.message, "plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return part(self.message, "html")


def part(message: EmailMessage, kind: str) -> str:
    """Return the part of a message whose content type is text/`kind`."""
    found = message.get_body((kind,))
    assert found is not None, f"the message has no part text/{kind}"
    content: str = found.get_content()
    return content
