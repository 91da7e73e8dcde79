"""Resumes in a folder of this machine, and what every store stages there."""

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from ..errors import NotFound, Unavailable


class Staging:
    """What is still coming in: files of mode 0600 in the folder `staging`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder / "staging"
        self.staging.mkdir(mode=0o700, parents=True, exist_ok=True)

    def stage(self) -> IO[bytes]:
        """Open a new file for an upload; buffered, since unbuffered a full disk would cut it in silence."""
        try:
            return open(self.staging / secrets.token_hex(16), "x+b", opener=_private)
        except OSError as error:
            raise Unavailable("storage_unavailable") from error

    def clear_staging(self, moment: datetime) -> None:
        """Remove what a killed process left half sent before a moment."""
        for path in _older(self.staging, moment):
            path.unlink(missing_ok=True)


class Folder(Staging):
    """Files of mode 0600 in one folder, on the file system of its staging."""

    def keep(self, staged: IO[bytes], key: str) -> None:
        """Move a staged file to its key; once this returns, a power cut leaves all of it there."""
        try:
            staged.flush()
            os.fsync(staged.fileno())
            os.rename(staged.name, self._path(key))
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unavailable("storage_unavailable") from error

    def open(self, key: str) -> IO[bytes]:
        """Open a kept file for reading."""
        try:
            return self._path(key).open("rb")
        except OSError as error:
            raise NotFound("resume_gone") from error

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """List the keys of what was stored before a moment."""
        return (path.name for path in _older(self.folder, moment))

    def delete(self, key: str) -> None:
        """Remove a kept file; it may be gone."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        # No key of ours has these, and they may lead out of this folder.
        if "/" in key or key.startswith("."):
            raise NotFound("resume_gone")
        return self.folder / key


def _older(folder: Path, moment: datetime) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and entry.stat().st_mtime < moment.timestamp():
                yield Path(entry.path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
