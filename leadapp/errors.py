"""The errors of the domain; each carries a code, which has the words."""

from collections.abc import Mapping
from itertools import chain

from .codes import Code


class Message(str):
    """A message for people that also carries its `code` for programs."""

    code: Code

    def __new__(cls, code: Code, **facts: object) -> "Message":
        """Return the words of a code, with the facts filled in."""
        message = super().__new__(cls, code.words.format(**facts))
        message.code = code
        return message

    def format(self, *_values: object, **_facts: object) -> "Message":
        """Return the message unchanged; marshmallow formats it again and would lose the code."""
        return self


class Refused(ValueError):
    """One typed value is invalid; `args[0]` is its Message, shown by WTForms beside the field."""

    def __init__(self, code: Code, **facts: object) -> None:
        super().__init__(Message(code, **facts))


class InvalidInput(Exception):
    """One or more typed values are invalid; `fields` has the Messages of each field by its name."""

    def __init__(self, fields: Mapping[str, list[Message]]) -> None:
        self.fields = fields
        messages = chain.from_iterable(fields.values())
        super().__init__("; ".join(messages))


class LeadappError(Exception):
    """An error that is shown to people.

    `retry_after` is the number of seconds after which the same request may succeed.
    """

    retry_after: int | None = None

    def __init__(self, code: Code, *, retry_after: int | None = None, **facts: object) -> None:
        self.code = code
        self.message = Message(code, **facts)
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(self.message)


class NotFound(LeadappError):
    """Nothing exists with this id."""


class Conflict(LeadappError):
    """The current state does not allow the action."""


class NotSignedIn(LeadappError):
    """The client is not signed in."""


class Forbidden(LeadappError):
    """The action is not allowed."""


class Unavailable(LeadappError):
    """A resource that leadapp needs is unavailable; the same request may succeed in a minute."""

    retry_after = 60
