"""How times, waits, sizes and references are written for people."""

import re
import secrets
import unicodedata
from datetime import date, datetime, timedelta

from .config import settings

# Without 0, 1 and L, which look like other characters, and without vowels, which could form words.
REFERENCE_DIGITS = "23456789BCDFGHJKMNPQRSTVWXYZ"
REFERENCE_START = "LD-"
# Fewer digits without LD are more likely the start of a name, such as Ng.
BARE_DIGITS_MIN = 4
ORDINAL_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
ELEVEN_TO_THIRTEEN = (11, 12, 13)
GREETED_MAX = 40
GREETED_WORDS = 4
# Hyphens, apostrophes, middle dots, and the joiners of Persian and Indian scripts.
NAME_MARKS = " -\u2010\u2011'\u2018\u2019\u00b7\u30fb\u200c\u200d"


def when(moment: datetime) -> str:
    """Return a time in the firm's time zone: 20 Nov 2026, 10:04."""
    return f"{moment.astimezone(settings.TIMEZONE):%-d %b %Y, %H:%M}"


def day(moment: date) -> str:
    """Return a date without its year: 20 Nov."""
    return f"{moment:%-d %b}"


def span(length: timedelta) -> str:
    """Return a duration, rounded down: 2 d 4 h, 18 h, 30 min."""
    minutes = max(0, int(length.total_seconds() // 60))
    hours = minutes // 60
    days = hours // 24
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h"
    if hours % 24 == 0:
        return f"{days} d"
    return f"{days} d {hours % 24} h"


def filesize(size: int) -> str:
    """Return a number of bytes in readable units: 120 KB, 1.2 MB, 5 MB."""
    if size < 1024:
        return f"{size} bytes"
    if size < 2**20:
        return f"{size // 1024} KB"
    megabytes = f"{size / 2**20:.1f}".removesuffix(".0")
    return f"{megabytes} MB"


def ordinal(number: int) -> str:
    """Return an ordinal number: 1st, 2nd, 3rd, 4th, 11th."""
    if number % 100 in ELEVEN_TO_THIRTEEN:
        return f"{number}th"
    ending = ORDINAL_ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"


def masked(email: str) -> str:
    """Return an e-mail address that its owner recognizes and others do not: a***@example.com."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def new_reference() -> str:
    """Return a random reference for a lead, without look-alike characters: LD-7K4M-92QX."""
    return _written("".join(secrets.choice(REFERENCE_DIGITS) for _ in range(8)))


def read_reference(typed: str) -> str | None:
    """Return a typed reference, or the start of one, as it is stored: LD-7K4M for "ld 7k4m".

    Case, spaces, hyphens and LD do not matter. Returns None for a text that is no reference.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    characters = "".join(character for character in plain if character.isalnum())
    digits = characters.removeprefix("LD")
    if len(digits) > 8 or any(digit not in REFERENCE_DIGITS for digit in digits):
        return None
    if digits == characters and len(digits) < BARE_DIGITS_MIN:
        return None
    return _written(digits)


def _written(digits: str) -> str:
    """Return a reference, or the start of one, from its digits."""
    if len(digits) <= 4:
        return f"{REFERENCE_START}{digits}"
    return f"{REFERENCE_START}{digits[:4]}-{digits[4:]}"


def unlinked(text: str) -> str:
    """Insert invisible characters (U+2060) into typed text, so that mail programs make no links."""
    return re.sub(r"(?<=\S)([.:/@])(?=\S)", "\\1\u2060", text)


def greeting(first_name: str) -> str:
    """Return "Hello Ana,", or "Hello," if the name may be more than a name, such as an ad."""
    if _is_plain_name(first_name):
        return f"Hello {first_name},"
    return "Hello,"


def _is_plain_name(name: str) -> bool:
    if len(name) > GREETED_MAX or len(name.split()) > GREETED_WORDS:
        return False
    letters = [character for character in name if character not in NAME_MARKS]
    if not letters:
        return False
    # In Unicode, category L is letters and M is combining marks.
    return all(unicodedata.category(letter)[0] in "LM" for letter in letters)
