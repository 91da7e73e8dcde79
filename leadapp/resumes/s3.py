"""Stores resumes in an S3-compatible bucket that any number of machines can share."""

import io
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from ..codes import Code
from ..errors import NotFound, Unavailable
from ..log import logger
from .folder import Staging

if TYPE_CHECKING:  # obstore declares these types, but has no such names at run time
    from obstore import ReadableFile
    from obstore.store import ClientConfig, RetryConfig

# With these limits, a request waits at most 10 s for a bucket that does not respond, 6 s for one
# that is unreachable, and a third of a second for one that refuses connections.
CLIENT: "ClientConfig" = {"connect_timeout": "2s", "timeout": "10s"}
RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
PIECE = 64 * 1024


class BucketStore(Staging):
    """Resumes as objects in a bucket, under generated keys.

    Uploads are staged on this machine. Accepted files are sent from there to the bucket.
    """

    def __init__(self, folder: Path, url: str, access_key: str, secret_key: str) -> None:
        super().__init__(folder)
        place = urlsplit(url)
        # The query of the URL may set any option of S3Store.
        options: dict[str, Any] = dict(parse_qsl(place.query))
        if access_key:  # otherwise obstore uses the role of the machine
            options["access_key_id"] = access_key
            options["secret_access_key"] = secret_key
        client = CLIENT.copy()
        client["allow_http"] = options.get("endpoint", "").startswith("http://")
        self.bucket = S3Store(
            place.netloc,
            prefix=place.path.strip("/") or None,
            client_options=client,
            retry_config=RETRY,
            disable_bulk_delete=True,  # not every S3-compatible store supports it
            **options,
        )

    def keep(self, staged: IO[bytes], key: str) -> None:
        """Send a staged file to the bucket under its key, which must be new.

        After this returns, the bucket has the whole file.
        """
        with _reaching(Code.STORAGE_UNAVAILABLE):
            staged.flush()
            # With mmap, the kernel's pages go straight to the network, so the process never holds
            # the whole file in its own memory.
            with mmap.mmap(staged.fileno(), 0, access=mmap.ACCESS_READ) as content:
                obstore.put(self.bucket, key, content, mode="create")
            os.unlink(staged.name)

    def open(self, key: str) -> IO[bytes]:
        """Open a stored object for reading, or raise NotFound.

        The bucket sends each piece when it is read, from any position.
        """
        with _reaching(Code.STORAGE_UNREACHABLE):
            try:
                reader = obstore.open_reader(self.bucket, key)
            except (FileNotFoundError, ValueError) as error:
                raise NotFound(Code.RESUME_GONE) from error
            return io.BufferedReader(_Object(reader), PIECE)

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """Yield the keys of the objects that were stored before `moment`."""
        with _reaching(Code.STORAGE_UNREACHABLE):
            for page in obstore.list(self.bucket):
                for found in page:
                    if found["last_modified"] < moment:
                        yield found["path"]

    def delete(self, key: str) -> None:
        """Delete a stored object, if it still exists."""
        with _reaching(Code.STORAGE_UNREACHABLE):
            obstore.delete(self.bucket, key)


class _Object(io.RawIOBase):
    """An object of the bucket as a raw Python file."""

    def __init__(self, reader: "ReadableFile") -> None:
        self.reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self.reader.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _reaching(Code.STORAGE_UNREACHABLE):
            piece = self.reader.read(len(buffer))
        size = len(piece)
        buffer[:size] = piece
        return size


@contextmanager
def _reaching(code: Code) -> Iterator[None]:
    """Log an error of the bucket or of the connection to it, and raise Unavailable instead."""
    try:
        yield
    except (BaseError, OSError) as error:
        first_line = str(error).partition("\n")[0]
        logger.error("the bucket cannot be used: %s", first_line)
        raise Unavailable(code) from error
