"""Folded names, search words and e-mail keys."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

# Letters that Unicode does not decompose, with the plain letters that people type instead.
LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)


def email_key(address: str) -> str:
    """Return the key that all spellings of one e-mail address share."""
    return _spelled(address, "normalized").lower()


def ascii_email(address: str) -> str:
    """Return the ASCII form of an address, which every mail server can read.

    The older IDNA 2003 would turn faß.de into fass.de, which is another domain.
    """
    return _spelled(address, "ascii_email")


def _spelled(address: str, way: str) -> str:
    try:
        return getattr(validate_email(address, check_deliverability=False), way) or address
    except EmailNotValidError:
        # An operator's domain may be private, such as leadmanagement.local.
        return address


def fold(text: str) -> str:
    """Return text without case and accents, for searching and sorting."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        character for character in plain if not unicodedata.combining(character)
    ).translate(LETTERS)
