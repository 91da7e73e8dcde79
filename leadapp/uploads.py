"""The request class: a file sent to one of the two doors goes straight to a staging file."""

import os
from typing import IO

import flask

from .extensions import DOORS
from .storage import store

PIECE = 64 * 1024


class Request(flask.Request):
    """A request that stages uploads, and leaves nothing staged behind however it ends."""

    def __init__(self, environ: dict[str, object], populate_request: bool = True, shallow: bool = False) -> None:
        super().__init__(environ, populate_request, shallow)
        self.staged: list[IO[bytes]] = []

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if not filename or self.endpoint not in DOORS:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        self.staged.append(store.stage())
        return self.staged[-1]

    def drain(self) -> None:
        """Read the rest of a body that is too large, up to an end: a client that is still sending hears no answer."""
        left = 5 * (self.max_content_length or 0)
        while left > 0 and (piece := self.environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)

    def close(self) -> None:
        """Close what was staged, and remove what was not moved into storage: a lost client leaves nothing."""
        super().close()
        for file in self.staged:
            try:
                file.close()
            except OSError:
                pass  # a full disk shows once more when the rest is flushed; the file goes anyway
            finally:
                _remove(str(file.name))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # it lies in storage
