"""The rules for a name, an e-mail address, a username and a password."""

import re
import unicodedata
from collections.abc import Iterable
from importlib import import_module

from email_validator import EmailNotValidError, validate_email

from .codes import Code
from .errors import Refused

NAME_MAX = 100
EMAIL_MAX = 254  # RFC 5321's longest path, without its angle brackets
PASSWORD_MIN = 8
PASSWORD_MAX_BYTES = 72  # bcrypt reads no more
# NFC joins at most four characters into one. So a text that is cut after more than four times its
# limit is too long anyway. To normalize a very long text whole would take seconds.
NFC_JOINS = 4
# Invisible characters that copied text may contain: spaces, zero-width marks, blank letters.
BLANK = "\u034f\u2800\u3164\ufeff" + "".join(
    character
    for character in map(chr, range(0x3001))
    if character.isspace() or unicodedata.category(character) == "Cf"
)
# Unicode's categories of control characters, surrogates, and separators of lines and paragraphs.
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


def _email_cleaning() -> dict[int, int | None]:
    """Return a table that removes invisible characters and replaces full-width forms by ASCII."""
    table: dict[int, int | None] = {}
    for character in BLANK:
        if not character.isspace():
            table[ord(character)] = None
    hangul_fillers = [0x115F, 0x1160, 0xFFA0]
    variation_selectors = range(0xFE00, 0xFE10)
    tags = range(0xE0000, 0xE0080)
    for invisible in (hangul_fillers, variation_selectors, tags):
        for code in invisible:
            table[code] = None
    for full_width in range(0xFF01, 0xFF5F):
        table[full_width] = full_width - 0xFEE0
    for full_stop in (0x3002, 0xFF61):  # of East Asian keyboards
        table[full_stop] = ord(".")
    return table


CLEANED_EMAIL = _email_cleaning()


def first_name(text: str | None) -> str:
    """Check a first name: 1 to 100 characters after trimming and NFC, none a control."""
    return _name(
        text,
        missing=Code.FIRST_NAME_MISSING,
        too_long=Code.FIRST_NAME_TOO_LONG,
        characters=Code.FIRST_NAME_CHARACTERS,
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
    printable = "".join(
        character for character in text if unicodedata.category(character) not in CONTROLS
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
