"""The firm's accent color: a check of its contrast, and its variant for dark backgrounds.

WCAG 2.2 defines contrast as (lighter + 0.05) / (darker + 0.05) of the relative luminances.
"""

import re

WHITE, DARK_PAPER, DARK_INK = "#ffffff", "#14181d", "#10222a"
READABLE = 4.5


def _channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in _channels(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two `#rrggbb` colors, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def parse(text: str) -> str:
    """Return a `#rrggbb` color, or raise ValueError if white text on it has too little contrast.

    An empty text is allowed and means the accent of our own style sheet.
    """
    if text and not (re.fullmatch(r"#[0-9a-fA-F]{6}", text) and contrast(text, WHITE) >= READABLE):
        raise ValueError(text)
    return text.lower()


def on_dark(colour: str) -> str:
    """Lighten an accent until it is readable on a dark background, and dark text on it too."""
    for share in range(0, 101, 5):
        mixed = "#" + "".join(
            f"{round(255 * (part + (1 - part) * share / 100)):02x}" for part in _channels(colour)
        )
        if min(contrast(mixed, DARK_PAPER), contrast(mixed, DARK_INK)) >= READABLE:
            break
    return mixed
