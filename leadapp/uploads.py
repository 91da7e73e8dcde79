"""The request class: a file sent to one of the two doors goes straight to a staging file."""

from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import flask

from .extensions import DOORS
from .storage import store

PIECE = 64 * 1024


class Request(flask.Request):
    """A request that stages uploads, and leaves nothing staged behind however it ends."""

    def __init__(
        self, environ: dict[str, object], populate_request: bool = True, shallow: bool = False
    ) -> None:
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
            return super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )
        self.staged.append(store.stage())
        return self.staged[-1]

    def _get_stream_for_parsing(self) -> Any:
        # In ever smaller pieces: Werkzeug runs a regular expression over all of one that holds the end of a part, which
        # for a resume of 50 KB took as long as the rest of its work. Who reads without a size, -1, gets all.
        body, left = (
            super()._get_stream_for_parsing(),
            self.content_length or self.max_content_length or 0,
        )

        def read(size: int = -1) -> bytes:
            nonlocal left
            piece = body.read(min(size, max(left // 2, PIECE // 8)))
            left -= len(piece)
            return piece

        return SimpleNamespace(read=read)

    def drain(self) -> None:
        """Read the rest of a body that is too large, up to an end: a client that is still sending hears no answer."""
        left = 5 * (self.max_content_length or 0)
        while left > 0 and (piece := self.environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)

    def close(self) -> None:
        """Close what was staged, and remove what was not moved into storage: a lost client leaves nothing."""
        super().close()
        for file in self.staged:
            with suppress(OSError):  # a full disk shows once more when the rest is flushed
                file.close()
            Path(file.name).unlink(missing_ok=True)  # what is not there lies in storage
