"""The domain's failures, and the one list of words for them: form, API and command line say the same."""

from collections.abc import Mapping

MESSAGES = {
    "first_name_missing": "Enter your first name",
    "first_name_too_long": "The first name must be {limit} characters or fewer",
    "first_name_characters": "The first name has a character that cannot be printed; type it again",
    "last_name_missing": "Enter your last name",
    "last_name_too_long": "The last name must be {limit} characters or fewer",
    "last_name_characters": "The last name has a character that cannot be printed; type it again",
    "email_missing": "Enter your e-mail address",
    "email_format": "Enter an e-mail address like name@example.com",
    "email_too_long": "The e-mail address must be {limit} characters or fewer",
    "email_taken": "There is already an account with this e-mail address",
    "resume_missing": "Select a resume",
    "resume_type": "The resume must be a PDF, DOC or DOCX file",
    "resume_too_large": "The resume must be smaller than {limit}",
    "resume_empty": "The resume is empty",
    "form_stale": "This page was open for too long. Nothing you typed is lost: check it and send it again",
    "honeypot_filled": "A field that people do not see was filled in. Nothing you typed is lost: press send again",
    "connection_lost": "The connection was lost. Everything you typed is still here: press send again",
    "sending": "Sending",
    "cancelled": "Nothing was sent. Everything you typed is still here",
    "username_missing": "Enter a username",
    "username_format": "The username must have 3 to 50 letters, digits, underscores or hyphens",
    "username_taken": "There is already an account with this username",
    "sign_in_name_missing": "Enter your username or e-mail address",
    "password_missing": "Enter a password",
    "password_length": "The password must have at least 8 characters and take at most 72 bytes",
    "password_characters": "The password must have an upper-case letter, a lower-case letter and a digit",
    "password_common": "This password is one of the first that others would try; choose another",
    "bad_credentials": "The username or the password is not right",
    "account_inactive": "This account is not switched on. A colleague can do it with: flask user enable {username}",
    "registration_closed": "Registration is closed. A colleague can make an account with: flask create-user",
    "user_unknown": "There is no user {username}",
    "user_without_password": "Give a password with --password-file FILE, or --random-password",
    "not_signed_in": "Sign in first",
    "token_invalid": "This token has ended or was not issued here; sign in again",
    "lead_unknown": "There is no such lead",
    "submission_unknown": "There is no such submission",
    "idempotency_key_reused": "This Idempotency-Key came with another content before; send this under a new one",
    "idempotency_key_format": "The Idempotency-Key must have 1 to 255 visible characters",
    "version_stale": "The lead has changed since you read it; read it again",
    "letter_unknown": "There is no such letter",
    "resume_gone": "The file of this resume cannot be found in storage; the details of the lead are still here",
    "submission_newer": "A newer submission has come; look at it first",
    "submission_count_missing": "Open the lead again before you mark it",
    "status_transition": "A lead can only move from PENDING to REACHED_OUT",
    "receipt_expired": "This page has ended. The firm still has what you sent",
    "receipt_unknown": "There is no such page",
    "storage_unavailable": "What you sent could not be stored just now; send it again in a minute",
    "database_unavailable": "The records cannot be reached just now; try again in a minute",
    "json_unreadable": "The body must be a JSON object",
    "form_expected": "The body must be multipart/form-data",
    "form_encoded_expected": "The body must be application/x-www-form-urlencoded",
    "json_expected": "The body must be application/json",
    "field_unknown": "There is no such field",
    "field_missing": "This must be given",
    "status_unknown": "The status must be PENDING or REACHED_OUT",
    "page_number": "The page must be a whole number from 1 to {limit}",
    "page_size": "The size must be a whole number from 1 to 100",
    "sort_unknown": "The order must be one of {choices}",
    "sort_desc_unknown": "sort_desc must be true or false",
    "query_too_long": "Search for {limit} characters or fewer",
    "text_expected": "This must be text",
    "http_400": "The request could not be read. Go back, load the page again and send it once more",
    "http_401": "Sign in first",
    "http_403": "You may not do this",
    "http_404": "There is nothing at this address",
    "http_405": "This address does not take that kind of request",
    "http_409": "Things have changed meanwhile; look again",
    "http_410": "This page has ended",
    "http_412": "Things have changed since you looked; look again",
    "http_413": "What you sent is too large, so none of it was kept. Send a resume smaller than {limit}",
    "http_415": "The body is not of a kind that is read here",
    "http_416": "There is nothing in that range",
    "http_422": "Something in the request is not as it must be",
    "http_429": "That was too often. Wait {wait} and send it again; go back and everything you typed is still there",
    "http_500": "Something broke on our side, and we have a record of it. What you sent before is safe",
    "http_503": "We cannot do this just now; try again in a minute",
}


WARNINGS = {
    "password_protected": "Opens with a password only",
    "macros": "Has macros: open it without them",
    "runs_script": "Runs a script when it is opened",
}


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

    def __init__(self, code: str, **facts: object) -> None:
        self.message = Message(code, **facts)
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


class WrongMediaType(LeadappError):
    """The body is not of the kind this endpoint reads."""

    status = 415


class Unreadable(LeadappError):
    """The body is of the right kind and broken."""

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
