"""Stores resumes under keys that the application generates, never under a visitor's file name."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from ..config import ConfigurationError
from .folder import FolderStore


class Store(Protocol):
    """A store of resumes: a folder, or a bucket that any number of machines can share."""

    def stage(self) -> IO[bytes]:
        """Open a new file on this machine for an upload. Raises Unavailable."""

    def clear_staging(self, moment: datetime) -> None:
        """Delete staged files older than `moment`."""

    def keep(self, staged: IO[bytes], key: str) -> None:
        """Store a staged file durably under its key. Raises Unavailable."""

    def open(self, key: str) -> IO[bytes]:
        """Open a stored file for reading. Raises NotFound, or Unavailable."""

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """Yield the keys of the files that were stored before `moment`."""

    def delete(self, key: str) -> None:
        """Delete a stored file, if it still exists."""


def _current_store() -> Store:
    store: Store = current_app.extensions["storage"]
    return store


store: Store = LocalProxy(_current_store)  # type: ignore[assignment]  # it passes every call on


def init_app(app: Flask) -> None:
    """Create the store that the settings name."""
    try:
        app.extensions["storage"] = make(app.config)
    except OSError as error:
        problem = f"{error.filename} cannot be written: {error.strerror}"
        raise ConfigurationError([problem]) from error


def make(settings: Mapping[str, Any]) -> Store:
    """Create a FolderStore, or a BucketStore if STORAGE_URL is set."""
    folder = Path(settings["UPLOAD_DIR"])
    if not settings["STORAGE_URL"]:
        return FolderStore(folder)
    # Imported only here, because obstore is an optional package.
    from .s3 import BucketStore  # noqa: PLC0415

    return BucketStore(
        folder,
        url=settings["STORAGE_URL"],
        access_key=settings["AWS_ACCESS_KEY_ID"],
        secret_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
