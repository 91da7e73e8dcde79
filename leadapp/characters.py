"""Invisible and control characters in typed text, and the pattern of a name."""

import unicodedata
from collections.abc import Iterable

# Invisible characters that copied text may contain: spaces, zero-width marks, blank letters.
BLANK = "\u034f\u2800\u3164\ufeff" + "".join(
    character
    for character in map(chr, range(0x3001))
    if character.isspace() or unicodedata.category(character) == "Cf"
)
# Unicode's categories of control characters, surrogates, and separators of lines and paragraphs.
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}


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


def name_pattern(longest: int) -> str:
    """Return the rule for a name of at most `longest` characters as a pattern.

    The pattern is for programs that call the API. It counts an accented letter of two characters
    twice. Surrogates cannot be sent.
    """
    blank = _ranges(BLANK)
    control = _ranges(
        character
        for character in map(chr, range(0x3001))
        if unicodedata.category(character) in CONTROLS
    )
    seen = f"[^{blank}{control}]"
    middle = f"[^{control}]{{0,{longest - 2}}}"
    return f"^[{blank}]*{seen}({middle}{seen})?[{blank}]*$"


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
