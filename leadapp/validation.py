"""The rules for a name, an e-mail address, a username and a password."""

import re
import unicodedata
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from email_validator import EmailNotValidError, validate_email

from .characters import BLANK, CLEANED_EMAIL, CONTROLS, name_pattern
from .codes import Code
from .errors import Refused

Rule = TypeVar("Rule", bound=Callable[..., Any])

NAME_MAX = 100
NAME_PATTERN = name_pattern(NAME_MAX)
EMAIL_MAX = 254  # RFC 5321's longest path, without its angle brackets
PASSWORD_MIN = 8
PASSWORD_MAX_BYTES = 72  # bcrypt reads no more
# NFC joins at most four characters into one. So only the first part of a text is normalized, four
# times its limit and one character more: if the text is longer, it is too long after NFC too.
# Normalizing the whole of a very long text would take seconds.
NFC_JOINS = 4
USERNAME_PATTERN = "[A-Za-z0-9_-]{3,50}"
PASSWORD_KINDS = ("[A-Z]", "[a-z]", "[0-9]")
PASSWORD_PATTERN = "^" + "".join(f"(?=.*{kind})" for kind in PASSWORD_KINDS)


def documents(*codes: Code, **schema: Any) -> Callable[[Rule], Rule]:
    """Describe a rule for the OpenAPI document.

    `codes` are those that it raises. `schema` is the JSON schema of the texts that it accepts.
    """

    def declare(rule: Rule) -> Rule:
        vars(rule)["metadata"] = {"refusals": list(codes), **schema}
        return rule

    return declare


def metadata_of(rule: Callable[..., Any]) -> dict[str, Any]:
    """Return the declared codes and JSON schema of a rule."""
    metadata: dict[str, Any] = vars(rule).get("metadata", {"refusals": []})
    return metadata


NAME_SCHEMA = {
    "description": f"1 to {NAME_MAX} characters, without leading and trailing spaces.",
    "minLength": 1,
    "pattern": NAME_PATTERN,
}


@documents(
    Code.FIRST_NAME_MISSING,
    Code.FIRST_NAME_TOO_LONG,
    Code.FIRST_NAME_CHARACTERS,
    examples=["José"],
    **NAME_SCHEMA,
)
def first_name(text: str | None) -> str:
    """Check a first name: 1 to 100 characters after trimming and NFC, none a control."""
    return _name(
        text,
        missing=Code.FIRST_NAME_MISSING,
        too_long=Code.FIRST_NAME_TOO_LONG,
        characters=Code.FIRST_NAME_CHARACTERS,
    )


@documents(
    Code.LAST_NAME_MISSING,
    Code.LAST_NAME_TOO_LONG,
    Code.LAST_NAME_CHARACTERS,
    examples=["Álvarez"],
    **NAME_SCHEMA,
)
def last_name(text: str | None) -> str:
    """Check a last name: 1 to 100 characters after trimming and NFC, none a control."""
    return _name(
        text,
        missing=Code.LAST_NAME_MISSING,
        too_long=Code.LAST_NAME_TOO_LONG,
        characters=Code.LAST_NAME_CHARACTERS,
    )


def _name(text: str | None, missing: Code, too_long: Code, characters: Code) -> str:
    trimmed = (text or "").strip(BLANK)
    name = unicodedata.normalize("NFC", trimmed[: NFC_JOINS * NAME_MAX + 1])
    if not name:
        raise Refused(missing)
    if len(name) > NAME_MAX:
        raise Refused(too_long, limit=NAME_MAX)
    if any(unicodedata.category(character) in CONTROLS for character in name):
        raise Refused(characters)
    return name


@documents(
    Code.EMAIL_MISSING,
    Code.EMAIL_FORMAT,
    Code.EMAIL_TOO_LONG,
    format="email",
    maxLength=EMAIL_MAX,
    examples=["jose@example.com"],
)
def email(text: str | None) -> str:
    """Return the cleaned address, or raise Refused if it is not a valid public e-mail address."""
    cleaned = (text or "").translate(CLEANED_EMAIL).strip()
    address = re.sub(r"^mailto:\s*", "", cleaned, flags=re.IGNORECASE)
    if not address:
        raise Refused(Code.EMAIL_MISSING)
    if len(address) > EMAIL_MAX:
        raise Refused(Code.EMAIL_TOO_LONG, limit=EMAIL_MAX)
    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise Refused(Code.EMAIL_FORMAT) from error
    return address


def mailbox(key: str) -> str:
    """Return the mailbox of an e-mail key: the key without a +tag."""
    local, _, domain = key.rpartition("@")
    without_tag = local.partition("+")[0]
    if not without_tag:
        return key
    return f"{without_tag}@{domain}"


def search(text: str | None) -> str:
    """Check a search text; remove the U+2060 characters that come with text from our e-mails."""
    text = text or ""
    if len(text) > 10 * NAME_MAX:  # not worth looking at each character
        raise Refused(Code.QUERY_TOO_LONG, limit=NAME_MAX)
    # Text that is copied from a table has tabs and line breaks between words.
    on_one_line = " ".join(text.split())
    printable = "".join(
        character for character in on_one_line if unicodedata.category(character) not in CONTROLS
    )
    searched = printable.replace("\u2060", "").strip()
    if len(searched) > NAME_MAX:
        raise Refused(Code.QUERY_TOO_LONG, limit=NAME_MAX)
    return searched


def sign_in_name(text: str | None) -> str:
    """Check a sign-in name: a username or an e-mail address."""
    name = (text or "").strip()
    if not name:
        raise Refused(Code.SIGN_IN_NAME_MISSING)
    # PostgreSQL rejects NUL, and no username or address contains it.
    return name.replace("\0", "")[:EMAIL_MAX]


def submission_count(text: str | None) -> int:
    """Check the number of submissions that the attorney saw."""
    if text is None or not re.fullmatch("[0-9]{1,9}", text):
        raise Refused(Code.SUBMISSION_COUNT_MISSING)
    return int(text)


@documents(
    Code.USERNAME_MISSING,
    Code.USERNAME_FORMAT,
    pattern=f"^{USERNAME_PATTERN}$",
    examples=["ben"],
)
def username(text: str | None) -> str:
    """Check a username: 3 to 50 letters, digits, underscores and hyphens."""
    if not text:
        raise Refused(Code.USERNAME_MISSING)
    if not re.fullmatch(USERNAME_PATTERN, text):
        raise Refused(Code.USERNAME_FORMAT)
    return text


def composed_password(text: str | None) -> str:
    """Return a password in NFC, because systems encode an accented letter in two different ways."""
    typed = text or ""
    return unicodedata.normalize("NFC", typed[: NFC_JOINS * PASSWORD_MAX_BYTES + 1])


@documents(
    Code.PASSWORD_MISSING,
    Code.PASSWORD_LENGTH,
    Code.PASSWORD_CHARACTERS,
    Code.PASSWORD_COMMON,
    minLength=PASSWORD_MIN,
    maxLength=PASSWORD_MAX_BYTES,
    description=f"At most {PASSWORD_MAX_BYTES} bytes in UTF-8.",
    pattern=PASSWORD_PATTERN,
    examples=["Counsel4You"],
)
def password(text: str | None) -> str:
    """Check a new password.

    It must have 8 characters to 72 bytes, an upper-case letter, a lower-case letter and a digit,
    and must not be one of the most common passwords.
    """
    text = composed_password(text)
    if not text:
        raise Refused(Code.PASSWORD_MISSING)
    if len(text) < PASSWORD_MIN or len(text.encode()) > PASSWORD_MAX_BYTES:
        raise Refused(Code.PASSWORD_LENGTH)
    for required in PASSWORD_KINDS:
        if not re.search(required, text):
            raise Refused(Code.PASSWORD_CHARACTERS)
    # Imported here, because its lists take 13 MB of memory and a web worker seldom needs them.
    lists = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    if text.lower() in lists["passwords"]:
        raise Refused(Code.PASSWORD_COMMON)
    return text
