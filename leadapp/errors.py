"""The domain's failures; messages.toml has the one list of words for them."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

_WORDS = tomllib.loads(files(__package__).joinpath("messages.toml").read_text())
MESSAGES: dict[str, str] = _WORDS["messages"]
WARNINGS: dict[str, str] = _WORDS["warnings"]
MENDS: dict[str, str] = _WORDS["mends"]


class Message(str):
    """Words for a person that carry the `code` a program reads."""

    code: str

    def __new__(cls, code: str, **facts: object) -> "Message":
        """Find the words of a code and put the facts in."""
        words = super().__new__(cls, MESSAGES[code].format(**facts))
        words.code = code
        return words

    def format(self, *_values: object, **_facts: object) -> "Message":
        """Stay as it is, code and all: marshmallow formats each message once more."""
        return self


class Refused(ValueError):
    """One typed value is not acceptable; `args[0]` is its Message (WTForms shows it beside the field)."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(Message(code, **facts))


class LeadappError(Exception):
    """What a person can be told; `message` are the words, `status` is how HTTP says it (RFC 9110)."""

    status = 500
    retry_after: object = None  # seconds

    def __init__(self, code: str, **facts: object) -> None:
        self.message = Message(code, **facts)
        self.retry_after = facts.get("retry_after", self.retry_after)
        super().__init__(self.message)


class InvalidInput(Exception):
    """Typed values that were refused, all at once: field name -> its Messages, in field order."""

    def __init__(self, fields: Mapping[str, list[Message]]) -> None:
        self.fields = fields
        super().__init__("; ".join(words for messages in fields.values() for words in messages))


class NotFound(LeadappError):
    """There is nothing under this id."""

    status = 404


class Gone(LeadappError):
    """It was here and has ended."""

    status = 410


class Conflict(LeadappError):
    """It cannot be done as things stand now."""

    status = 409


class NotSignedIn(LeadappError):
    """Who asks is not known; with `token_invalid`, the token that came is no good."""

    status = 401


class Forbidden(LeadappError):
    """Who asks may not do this."""

    status = 403


class TooLarge(LeadappError):
    """The body is larger than this endpoint reads."""

    status = 413


class WrongMediaType(LeadappError):
    """The body is not of the kind this endpoint reads."""

    status = 415


class Unreadable(LeadappError):
    """The request is of the right kind and broken."""

    status = 400


class KeyReused(LeadappError):
    """A sending goes by the name of another one (the IETF's Idempotency-Key draft)."""

    status = 422


class VersionStale(LeadappError):
    """What the client has seen is no longer so."""

    status = 412


class Unavailable(LeadappError):
    """Something we stand on is away for now; the same request may succeed in a minute."""

    status = 503
    retry_after = 60


class TooOften(LeadappError):
    """It was tried more often than is good; the fact `retry_after` tells when it may be again."""

    status = 429
