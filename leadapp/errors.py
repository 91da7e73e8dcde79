"""The domain's errors; messages.toml holds all their messages."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

_WORDS = tomllib.loads(files(__package__).joinpath("messages.toml").read_text())
MESSAGES: dict[str, str] = _WORDS["messages"]
WARNINGS: dict[str, str] = _WORDS["warnings"]
REMEDIES: dict[str, str] = _WORDS["mends"]


class Message(str):
    """A message for people that also carries a `code` for programs."""

    code: str

    def __new__(cls, code: str, **facts: object) -> "Message":
        """Return the message of a code, with the facts filled in."""
        words = super().__new__(cls, MESSAGES[code].format(**facts))
        words.code = code
        return words

    def format(self, *_values: object, **_facts: object) -> "Message":
        """Return the message unchanged; marshmallow formats it again and would lose the code."""
        return self


class Refused(ValueError):
    """One typed value is invalid; `args[0]` is its Message, shown by WTForms beside the field."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(Message(code, **facts))


class LeadappError(Exception):
    """An error shown to people; `message` is its text, `status` its HTTP status (RFC 9110)."""

    status = 500
    retry_after: object = None  # seconds

    def __init__(self, code: str, **facts: object) -> None:
        self.message = Message(code, **facts)
        self.retry_after = facts.get("retry_after", self.retry_after)
        super().__init__(self.message)


class InvalidInput(Exception):
    """One or more typed values are invalid: field name -> its Messages, in field order."""

    def __init__(self, fields: Mapping[str, list[Message]]) -> None:
        self.fields = fields
        super().__init__("; ".join(words for messages in fields.values() for words in messages))


class NotFound(LeadappError):
    """Nothing exists with this id."""

    status = 404


class Gone(LeadappError):
    """It existed, but has expired or ended."""

    status = 410


class Conflict(LeadappError):
    """The current state does not allow the action."""

    status = 409


class NotSignedIn(LeadappError):
    """The client is not signed in; `token_invalid` means that it sent an invalid token."""

    status = 401


class Forbidden(LeadappError):
    """The action is not allowed."""

    status = 403


class TooLarge(LeadappError):
    """The body is larger than this endpoint accepts."""

    status = 413


class WrongMediaType(LeadappError):
    """This endpoint does not accept the media type of the body."""

    status = 415


class Unreadable(LeadappError):
    """The request is malformed, or names an unknown host."""

    status = 400


class KeyReused(LeadappError):
    """The Idempotency-Key was used before with other content (the IETF's Idempotency-Key draft)."""

    status = 422


class VersionStale(LeadappError):
    """The lead has changed since the client read it."""

    status = 412


class Unavailable(LeadappError):
    """A resource that leadapp needs is unavailable; the same request may succeed in a minute."""

    status = 503
    retry_after = 60


class TooOften(LeadappError):
    """Too many attempts; the fact `retry_after` is the number of seconds to wait."""

    status = 429
