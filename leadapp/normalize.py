"""Folded names, search words and e-mail keys."""

import itertools
import re
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

WORD_MAX = 100
# People type these characters as apostrophes. Unicode counts some of them as letters or as accents.
APOSTROPHES = str.maketrans(dict.fromkeys("\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\ua78c", "'"))
WORD_GAP = re.compile(r'[\s,;/|&()<>"]+')
# Scripts that write names without a space: Hangul, Kana and Han, as they are after folding.
SPACELESS = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\U00020000-\U0003ffff]+")


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


def lead_words(first_name: str, last_name: str, email_key: str) -> list[str]:
    """Return the words by which a search finds a lead.

    The first name and the last name have one word from each of their parts to their end: Jean
    Claude has jeanclaude and claude, and O'Brien-Núñez has obriennunez, briennunez and nunez. A
    Chinese, Japanese or Korean name is one word, in both orders. The domain of the e-mail address
    is a word with an @.
    """
    words: list[str] = []
    for name in (first_name, last_name):
        parts = list(itertools.chain.from_iterable(_parts(name)))
        words.extend("".join(parts[start:]) for start in range(len(parts)))
    first, last = _joined(first_name), _joined(last_name)
    if SPACELESS.fullmatch(first + last):
        words.extend([last + first, first + last])
    domain = email_key.rpartition("@")[2]
    words.append(f"@{domain}")
    return _longest(words)


def query_words(text: str) -> list[str]:
    """Return the words of a search; it finds a lead if each is the start of a word of the lead."""
    words = []
    for typed in text.split():
        if typed.startswith("@"):
            words.append(typed.lower())
        else:
            words.extend("".join(parts) for parts in _parts(typed))
    # A sign by itself, such as "&" in "Smith & Co", counts only if there is nothing else.
    named = [word for word in words if len(word) > 1 or _is_letter(word)]
    return _longest(named or words)


def _longest(words: list[str]) -> list[str]:
    """Return the words without repeats, and without those that are the start of another one."""
    cut = dict.fromkeys(word[:WORD_MAX] for word in words)
    longest = []
    for word in cut:
        longer = [other for other in cut if other != word and other.startswith(word)]
        if not longer:
            longest.append(word)
    return longest


def _joined(text: str) -> str:
    """Return a text as one word."""
    return "".join("".join(parts) for parts in _parts(text))


def _parts(text: str) -> list[list[str]]:
    """Return the folded words of a text, each divided at apostrophes, hyphens and other signs.

    A word without letters and digits is one part.
    """
    words = []
    for word in WORD_GAP.split(fold(text.translate(APOSTROPHES))):
        letters = ""
        for character in word:
            letters += character if _is_letter(character) else " "
        if word:
            words.append(letters.split() or [word])
    return words


def _is_letter(character: str) -> bool:
    """Return whether a character is a letter, a mark that belongs to a letter, or a digit."""
    return unicodedata.category(character)[0] in "LMN"
