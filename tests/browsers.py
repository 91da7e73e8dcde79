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
    return _launch(SHELL + WHOLE)


def whole() -> dict[str, Any]:
    """Return launch options for a full Chromium, which can for example display a PDF."""
    return _launch(WHOLE, channel="chromium")


def _launch(names: tuple[str, ...], channel: str | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {"args": ARGUMENTS}
    if channel is not None:
        options["channel"] = channel
    for name in names:
        if found := shutil.which(name):
            options.update(executable_path=found, channel=None)
            break
    return options
