"""What lies in the application's storage, be it a folder or a bucket."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from leadapp.storage import store
from leadapp.wording import now


def keys(of: Any = store) -> list[str]:
    """The keys of all that is stored, in the application's store or another."""
    return list(of.keys_before(now() + timedelta(days=1)))


def keep(of: Any, key: str, content: bytes = b"%PDF-1.4") -> None:
    """Put bytes under a key."""
    with of.stage() as file:
        file.write(content)
        of.keep(file, key)


def content(key: str) -> bytes:
    """The bytes under a key."""
    with store.open(key) as file:
        return bytes(file.read())


def staged() -> list[Path]:
    """What is on its way there."""
    return list(store.staging.iterdir())
