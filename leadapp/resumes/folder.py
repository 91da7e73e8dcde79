"""Stores resumes in a local folder, and stages uploads for every store."""

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from ..codes import Code
from ..errors import NotFound, Unavailable


class Staging:
    """Uploads that are not stored yet, as files of mode 0600 in the folder `staging`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder / "staging"
        self.staging.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stage(self) -> IO[bytes]:
        """Open a new file for an upload.

        The file is buffered: without a buffer, a full disk would cut it short without an error.
        """
        try:
            return open(self.staging / secrets.token_hex(16), "x+b", opener=_private)
        except OSError as error:
            raise Unavailable(Code.STORAGE_UNAVAILABLE) from error

    def clear_staging(self, moment: datetime) -> None:
        """Delete staged files older than `moment`, which killed processes left behind."""
        for path in _older(self.staging, moment):
            path.unlink(missing_ok=True)


class FolderStore(Staging):
    """Resumes as files of mode 0600 in one folder, on the same file system as `staging`."""

    def keep(self, staged: IO[bytes], key: str) -> None:
        """Move a staged file to its key.

        After this returns, the whole file survives a power failure.
        """
        try:
            staged.flush()
            os.fsync(staged.fileno())
            os.rename(staged.name, self._path(key))
            _sync_folder(self.folder)
        except OSError as error:
            raise Unavailable(Code.STORAGE_UNAVAILABLE) from error

    def open(self, key: str) -> IO[bytes]:
        """Open a stored file for reading, or raise NotFound."""
        try:
            return self._path(key).open("rb")
        except OSError as error:
            raise NotFound(Code.RESUME_GONE) from error

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """Return the keys of the files that were stored before `moment`."""
        return (path.name for path in _older(self.folder, moment))

    def delete(self, key: str) -> None:
        """Delete a stored file, if it still exists."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        # No generated key has these, and a path with them could lead out of the folder.
        if "/" in key or key.startswith("."):
            raise NotFound(Code.RESUME_GONE)
        return self.folder / key


def _sync_folder(folder: Path) -> None:
    """Save the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _older(folder: Path, moment: datetime) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and entry.stat().st_mtime < moment.timestamp():
                yield Path(entry.path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
