"""Folded names, search words and e-mail keys."""

import unicodedata

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

# Letters that Unicode does not decompose, with the plain letters that people type instead.
LETTERS = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
    }
)


def email_key(address: str) -> str:
    """Return the key that all spellings of one e-mail address share."""
    valid = _validated(address)
    if valid is None:
        return address.lower()
    return valid.normalized.lower()


def ascii_email(address: str) -> str:
    """Return the ASCII form of an address, which every mail server can read.

    The older IDNA 2003 would turn faß.de into fass.de, which is another domain.
    """
    valid = _validated(address)
    if valid is None or valid.ascii_email is None:
        return address
    return valid.ascii_email


def _validated(address: str) -> ValidatedEmail | None:
    """Return None for a private domain, such as leadmanagement.local, which operators may use."""
    try:
        return validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return None


def fold(text: str) -> str:
    """Return text without case and accents, for searching and sorting."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return plain.translate(LETTERS)
