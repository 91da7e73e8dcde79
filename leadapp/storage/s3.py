"""Resumes in a bucket that speaks S3, shared by any number of machines."""

import io
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ..errors import NotFound, Unavailable
from ..log import logger
from .folder import Staging

# A request waits no longer than this for a bucket that is silent (10 s), out of reach (6 s) or closed (a third of one).
CLIENT = {"connect_timeout": "2s", "timeout": "10s"}
RETRY = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
PIECE = 64 * 1024


class S3(Staging):
    """Objects under keys of ours; uploads are staged on this machine and sent from there when they are good."""

    def __init__(self, folder: Path, url: str, access_key: str, secret_key: str) -> None:
        super().__init__(folder)
        place = urlsplit(url)
        options: dict[str, Any] = dict(parse_qsl(place.query))
        if access_key:  # else obstore asks the machine for its role
            options |= {"access_key_id": access_key, "secret_access_key": secret_key}
        plain = options.get("endpoint", "").startswith("http://")
        options |= {"client_options": CLIENT | {"allow_http": plain}, "retry_config": RETRY}
        # Not every store deletes in bulk.
        self.bucket = S3Store(
            place.netloc, prefix=place.path.strip("/") or None, disable_bulk_delete=True, **options
        )

    def keep(self, staged: IO[bytes], key: str) -> None:
        """Send a staged file to its key, which nothing has yet; once this returns, the bucket has all of it."""
        with _reaching("storage_unavailable"):
            staged.flush()
            # Mapped, the file goes from the kernel's pages to the network and is never whole in our memory.
            with mmap.mmap(staged.fileno(), 0, access=mmap.ACCESS_READ) as content:
                obstore.put(self.bucket, key, content, mode="create")
            os.unlink(staged.name)

    def open(self, key: str) -> IO[bytes]:
        """Open a kept object for reading; its pieces are asked for as they are read, from wherever it is sought."""
        with _reaching("storage_unreachable"):
            try:
                return io.BufferedReader(_Object(obstore.open_reader(self.bucket, key)), PIECE)
            except (FileNotFoundError, ValueError) as error:
                raise NotFound("resume_gone") from error

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """List the keys of what was stored before a moment."""
        with _reaching("storage_unreachable"):
            for page in obstore.list(self.bucket):
                yield from (found["path"] for found in page if found["last_modified"] < moment)

    def delete(self, key: str) -> None:
        """Remove a kept object; it may be gone."""
        with _reaching("storage_unreachable"):
            obstore.delete(self.bucket, key)


class _Object(io.RawIOBase):
    """An object as Python's own kind of file."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self.reader.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _reaching("storage_unreachable"):
            piece = self.reader.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def _reaching(code: str) -> Iterator[None]:
    """Turn whatever a bucket, or the way to it, fails with into Unavailable; the log says what it was."""
    try:
        yield
    except (BaseError, OSError) as error:
        logger.error("the bucket cannot be used: %s", str(error).partition("\n")[0])
        raise Unavailable(code) from error
