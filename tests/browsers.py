"""Selects a Chromium for the tests: Debian's if installed, else Playwright's download."""

import shutil
from typing import Any, Literal

Scheme = Literal["light", "dark"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
SHELL = ("chromium-headless-shell",)
WHOLE = ("chromium", "chromium-browser", "google-chrome")


def quick() -> dict[str, Any]:
    """Return options to launch headless-shell if installed: it takes two thirds of the CPU time."""
    return _launch(*SHELL, *WHOLE)


def whole() -> dict[str, Any]:
    """Return launch options for a full Chromium, which can for example display a PDF."""
    return {"channel": "chromium", **_launch(*WHOLE)}


def _launch(*names: str) -> dict[str, Any]:
    found = next(filter(None, map(shutil.which, names)), None)
    return {"args": ARGUMENTS, **({"executable_path": found, "channel": None} if found else {})}
