"""The rules for a name, an e-mail address, a username and a password."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from importlib import import_module

from email_validator import EmailNotValidError, validate_email

from .codes import Code
from .errors import Refused

NAME_MAX = 100
EMAIL_MAX = 254  # RFC 5321's longest path, without its angle brackets
PASSWORD_MIN, PASSWORD_MAX_BYTES = 8, 72  # bcrypt reads only 72 bytes
# Invisible characters that copied text may contain: spaces, zero-width marks, blank letters.
BLANK = "\u034f\u2800\u3164\ufeff" + "".join(
    character
    for character in map(chr, range(0x3001))
    if character.isspace() or unicodedata.category(character) == "Cf"
)
# Cleans an e-mail address: removes invisible characters, replaces full-width forms by ASCII.
CLEANED_EMAIL: dict[int, int | None] = {
    ord(character): None for character in BLANK if not character.isspace()
}
CLEANED_EMAIL.update(dict.fromkeys((0x115F, 0x1160, 0xFFA0)))  # Hangul fillers
CLEANED_EMAIL.update(dict.fromkeys(range(0xFE00, 0xFE10)))  # variation selectors
CLEANED_EMAIL.update(dict.fromkeys(range(0xE0000, 0xE0080)))  # tags
CLEANED_EMAIL.update({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)})
CLEANED_EMAIL.update({0x3002: ord("."), 0xFF61: ord(".")})  # full stops of East Asian keyboards
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
USERNAME_PATTERN = "[A-Za-z0-9_-]{3,50}"
PASSWORD_KINDS = ("[A-Z]", "[a-z]", "[0-9]")
PASSWORD_PATTERN = "^" + "".join(f"(?=.*{kind})" for kind in PASSWORD_KINDS)


def _ranges(characters: Iterable[str]) -> str:
    r"""Return characters as ranges of a regular expression, such as `\u0000-\u001f`."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, characters)):
        if ranges and code == ranges[-1][-1] + 1:
            ranges[-1].append(code)
        else:
            ranges.append([code])
    written = ""
    for codes in ranges:
        written += f"\\u{codes[0]:04x}"
        if len(codes) > 1:
            written += f"-\\u{codes[-1]:04x}"
    return written


def _name_pattern() -> str:
    """Return the rule for a name as a regular expression, for programs that call the API.

    It counts an accented letter of two characters twice. Surrogates cannot be sent.
    """
    blank = _ranges(BLANK)
    control = _ranges(
        character
        for character in map(chr, range(0x3001))
        if unicodedata.category(character) in CONTROLS
    )
    seen = f"[^{blank}{control}]"
    middle = f"[^{control}]{{0,{NAME_MAX - 2}}}"
    return f"^[{blank}]*{seen}({middle}{seen})?[{blank}]*$"


NAME_PATTERN = _name_pattern()


def person_name(missing: Code, too_long: Code, characters: Code) -> Callable[[str | None], str]:
    """Return the rule for a name: 1 to 100 characters after trimming and NFC, none a control."""

    def rule(text: str | None) -> str:
        # Normalizing a very long text would take seconds. NFC joins at most four characters into
        # one, so a text that is cut here is too long anyway.
        name = unicodedata.normalize("NFC", (text or "").strip(BLANK)[: 4 * NAME_MAX + 1])
        if not name:
            raise Refused(missing)
        if len(name) > NAME_MAX:
            raise Refused(too_long, limit=NAME_MAX)
        if any(unicodedata.category(character) in CONTROLS for character in name):
            raise Refused(characters)
        return name

    return rule


first_name = person_name(
    Code.FIRST_NAME_MISSING, Code.FIRST_NAME_TOO_LONG, Code.FIRST_NAME_CHARACTERS
)
last_name = person_name(Code.LAST_NAME_MISSING, Code.LAST_NAME_TOO_LONG, Code.LAST_NAME_CHARACTERS)


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
    local, at, domain = key.rpartition("@")
    return (local.partition("+")[0] or local) + at + domain


def search(text: str | None) -> str:
    """Check a search text; remove the U+2060 characters that come with text from our e-mails."""
    text = text or ""
    if len(text) > 10 * NAME_MAX:  # not worth looking at each character
        raise Refused(Code.QUERY_TOO_LONG, limit=NAME_MAX)
    typed = "".join(
        character for character in text if unicodedata.category(character) not in CONTROLS
    )
    typed = typed.replace("\u2060", "").strip()
    if len(typed) > NAME_MAX:
        raise Refused(Code.QUERY_TOO_LONG, limit=NAME_MAX)
    return typed


def sign_in_name(text: str | None) -> str:
    """Check a sign-in name: a username or an e-mail address."""
    if not (text and text.strip()):
        raise Refused(Code.SIGN_IN_NAME_MISSING)
    # PostgreSQL rejects NUL, and no username or address contains it.
    return text.strip().replace("\0", "")[:EMAIL_MAX]


def submission_count(text: str | None) -> int:
    """Check the number of submissions that the attorney saw."""
    if not re.fullmatch("[0-9]{1,9}", text or ""):
        raise Refused(Code.SUBMISSION_COUNT_MISSING)
    return int(text or 0)


def username(text: str | None) -> str:
    """Check a username: 3 to 50 letters, digits, underscores and hyphens."""
    if not text:
        raise Refused(Code.USERNAME_MISSING)
    if not re.fullmatch(USERNAME_PATTERN, text):
        raise Refused(Code.USERNAME_FORMAT)
    return text


def composed_password(text: str | None) -> str:
    """Return a password in NFC, because systems encode an accented letter in two different ways."""
    # NFC joins at most four characters into one, so a text that is cut here is too long anyway.
    return unicodedata.normalize("NFC", (text or "")[: 4 * PASSWORD_MAX_BYTES + 1])


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
    if not all(re.search(kind, text) for kind in PASSWORD_KINDS):
        raise Refused(Code.PASSWORD_CHARACTERS)
    # Imported here, because its lists take 13 MB of memory and a web worker seldom needs them.
    commonest = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS["passwords"]
    if text.lower() in commonest:
        raise Refused(Code.PASSWORD_COMMON)
    return text
