"""Which Chromium the tests run, and how: Debian's if it is there, else the one that Playwright has downloaded."""

import shutil
from typing import Any

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
    """How to launch Chromium's shell without windows, which takes two thirds of the processor time, if it is there."""
    return _launch(*SHELL, *WHOLE)


def whole() -> dict[str, Any]:
    """How to launch a Chromium that can do all it does for a person: to show a PDF, for one."""
    return {"channel": "chromium", **_launch(*WHOLE)}


def _launch(*names: str) -> dict[str, Any]:
    found = next(filter(None, map(shutil.which, names)), None)
    return {"args": ARGUMENTS, **({"executable_path": found, "channel": None} if found else {})}
