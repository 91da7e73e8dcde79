"""The firm's accent color: a check of its contrast, and its variant for dark backgrounds.

WCAG 2.2 defines contrast as (lighter + 0.05) / (darker + 0.05) of the relative luminances.
"""

import re

WHITE = "#ffffff"
DARK_PAPER = "#14181d"
DARK_INK = "#10222a"
READABLE = 4.5


def _channels(color: str) -> list[float]:
    """Return the red, green and blue of a `#rrggbb` color, each from 0 to 1."""
    return [value / 255 for value in bytes.fromhex(color[1:])]


def _luminance(color: str) -> float:
    red, green, blue = map(_linear, _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    if channel <= 0.04045:
        return channel / 12.92
    return ((channel + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """Return the contrast of two `#rrggbb` colors, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def parse(text: str) -> str:
    """Return a `#rrggbb` color, or raise ValueError if white text on it has too little contrast.

    An empty text is allowed and means the accent of our own style sheet.
    """
    if text == "":
        return ""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise ValueError(text)
    if contrast(text, WHITE) < READABLE:
        raise ValueError(text)
    return text.lower()


def on_dark(color: str) -> str:
    """Lighten an accent until it is readable on a dark background, and dark text on it too."""
    for percent in range(0, 100, 5):
        mixed = _mixed_with_white(color, percent)
        on_paper = contrast(mixed, DARK_PAPER)
        under_ink = contrast(mixed, DARK_INK)
        if on_paper >= READABLE and under_ink >= READABLE:
            return mixed
    return WHITE


def _mixed_with_white(color: str, percent: int) -> str:
    mixed = []
    for channel in _channels(color):
        lighter = channel + (1 - channel) * percent / 100
        mixed.append(round(255 * lighter))
    return "#" + bytes(mixed).hex()
