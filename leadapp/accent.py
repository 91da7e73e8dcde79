"""The firm's accent colour: can it be read, and what does it become on dark paper.

Contrast is WCAG 2.2's: (lighter + 0.05) / (darker + 0.05) of relative luminance.
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
    """Tell the contrast of two `#rrggbb` colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def parse(text: str) -> str:
    """Take `#rrggbb` that carries white text; empty means the accent of our own style sheet."""
    if text and not (re.fullmatch(r"#[0-9a-fA-F]{6}", text) and contrast(text, WHITE) >= READABLE):
        raise ValueError(text)
    return text.lower()


def on_dark(colour: str) -> str:
    """Lighten an accent until it stands out on dark paper and carries dark text."""
    for share in range(0, 101, 5):
        mixed = "#" + "".join(
            f"{round(255 * (part + (1 - part) * share / 100)):02x}" for part in _channels(colour)
        )
        if min(contrast(mixed, DARK_PAPER), contrast(mixed, DARK_INK)) >= READABLE:
            break
    return mixed
