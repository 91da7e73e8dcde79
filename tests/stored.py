"""Reads and writes files in the application's storage, a folder or a bucket."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app

from leadapp.clock import now
from leadapp.resumes.store import store


def keys(of: Any = store) -> list[str]:
    """Return the keys of all stored files, by default in the application's store."""
    return list(of.keys_before(now() + timedelta(days=1)))


def keep(of: Any, key: str, content: bytes = b"%PDF-1.4") -> None:
    """Store bytes under a key."""
    with of.stage() as file:
        file.write(content)
        of.keep(file, key)


def content(key: str) -> bytes:
    """Return the bytes stored under a key."""
    with store.open(key) as file:
        return bytes(file.read())


def staged() -> list[Path]:
    """Return the files staged for storage."""
    folder: Path = current_app.extensions["storage"].staging
    return list(folder.iterdir())
