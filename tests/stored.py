"""What lies in the application's storage, be it a folder or a bucket."""

from datetime import timedelta
from pathlib import Path

from leadapp.storage import store
from leadapp.wording import now


def keys() -> list[str]:
    """The keys of all that is stored."""
    return list(store.keys_before(now() + timedelta(days=1)))


def content(key: str) -> bytes:
    """The bytes under a key."""
    with store.open(key) as file:
        return bytes(file.read())


def staged() -> list[Path]:
    """What is on its way there."""
    return list(store.staging.iterdir())
