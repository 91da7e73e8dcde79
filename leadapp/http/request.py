"""The request class.

It parses forms without changing a byte of a file, and writes a resume directly to a staging file.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import flask
from flask import request
from werkzeug.datastructures import FileStorage, Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from .. import errors
from ..codes import Code
from ..extensions import SUBMIT_ENDPOINTS
from ..formatting import filesize
from ..resumes.store import store

# In bytes. Only a multipart form sent to one of SUBMIT_ENDPOINTS may be larger.
BODY_MAX = 64 * 1024
# Small, because the decoder runs a slow regular expression over each piece that ends a part.
PIECE = 16 * 1024


def limit_body() -> None:
    """Reject a body over BODY_MAX before it is parsed; only a resume form may be larger."""
    if request.endpoint in SUBMIT_ENDPOINTS and request.mimetype == "multipart/form-data":
        return
    # The length of a chunked body is unknown until it is read.
    if "Transfer-Encoding" in request.headers:
        request.max_content_length = BODY_MAX + 1
        length = len(request.get_data())
    else:
        length = request.content_length or 0
    if length > BODY_MAX:
        raise errors.LeadappError(Code.BODY_TOO_LARGE, limit=filesize(BODY_MAX))


def pieces(stream: IO[bytes], boundary: bytes) -> Iterator[bytes | None]:
    r"""Yield a multipart body in pieces, none of which ends inside a delimiter, and then None.

    If a piece ends inside `\r\n--boundary--`, after the boundary, Werkzeug's decoder appends the CR
    to the file (pallets/werkzeug#3285). A delimiter could start at a CR near the end of a piece, so
    the bytes from that CR on are held back for the next piece. At most the length of one delimiter
    is held back, so a file of short CRLF lines is streamed like any other. None ends the body.
    """
    longest = len(b"\r\n--" + boundary + b"--\r\n")
    held = b""
    while more := stream.read(PIECE):
        piece = held + more
        cr = piece.rfind(b"\r", -longest)
        end = len(piece) if cr == -1 else cr
        held = piece[end:]
        if end > 0:
            yield piece[:end]
    if held:
        yield held
    yield None


def events(decoder: MultipartDecoder, stream: IO[bytes]) -> Iterator[Event]:
    """Yield the decoder's events for a body; raises ValueError if the body ends too early."""
    for piece in pieces(stream, decoder.boundary):
        decoder.receive_data(piece)
        event = decoder.next_event()
        while not isinstance(event, NeedData | Epilogue):
            yield event
            event = decoder.next_event()


class Decoder(MultipartDecoder):
    """A multipart decoder that accepts bad bytes in a header; Werkzeug's rejects the whole body."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        """Replace bytes that are not UTF-8; some programs send file names in an older encoding."""
        text = data.decode(errors="replace")
        # In Shift_JIS, a backslash may be the second byte of a character, not a path separator.
        text = text.replace("\ufffd\\", "\ufffd")
        return super()._parse_headers(text.encode())


class FormParser(FormDataParser):
    """A form parser that uses `Decoder` and raises BODY_UNREADABLE for a broken body."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], Any, Any]:
        """Return the stream, the fields and the files."""
        self.silent = False  # otherwise a broken body becomes an empty form
        try:
            if mimetype == "multipart/form-data":
                boundary = (options or {}).get("boundary", "")
                fields, files = self._read_parts(stream, boundary)
                return stream, fields, files
            return super().parse(stream, mimetype, content_length, options)
        except ValueError as error:
            raise errors.LeadappError(Code.BODY_UNREADABLE) from error

    def _read_parts(self, stream: IO[bytes], boundary: str) -> tuple[Any, Any]:
        """Return the fields and the files of a multipart body."""
        if not boundary:
            raise ValueError("a multipart body without a boundary")
        decoder = Decoder(
            boundary.encode("ascii"), self.max_form_memory_size, max_parts=self.max_form_parts
        )
        fields, files = [], []
        for event in events(decoder, stream):
            # A part is a Field or a File, followed by its content in one or more Data.
            if isinstance(event, Field | File):
                part = event
                content = self._open(part)
            elif isinstance(event, Data):
                content.write(event.data)
                self._limit_text(part, content)
                if event.more_data:
                    continue
                content.seek(0)
                if isinstance(part, File):
                    file = FileStorage(content, part.filename, part.name, headers=part.headers)
                    files.append((part.name, file))
                else:
                    fields.append((part.name, read_text(part, content)))
        return self.cls(fields), self.cls(files)

    def _open(self, part: Field | File) -> IO[bytes]:
        """Return an empty file for the content of a part."""
        if isinstance(part, File):
            return self.stream_factory(None, part.headers.get("content-type"), part.filename)
        return io.BytesIO()

    def _limit_text(self, part: Field | File, content: IO[bytes]) -> None:
        """Reject a text that is too long to be kept in memory."""
        limit = self.max_form_memory_size
        if isinstance(part, Field) and limit is not None and content.tell() > limit:
            raise RequestEntityTooLarge()


def read_text(field: Field, content: IO[bytes]) -> str:
    """Return the text of a field, whose headers may name an encoding."""
    encoding = MultiPartParser().get_part_charset(field.headers)
    return content.read().decode(encoding, errors="replace")


class Request(flask.Request):
    """A request that stages uploads, and removes all staged files when it ends."""

    form_data_parser_class = FormParser

    def __init__(
        self, environ: dict[str, object], populate_request: bool = True, shallow: bool = False
    ) -> None:
        super().__init__(environ, populate_request, shallow)
        self.opened: list[IO[bytes]] = []
        self.staged: list[IO[bytes]] = []

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if filename and self.endpoint in SUBMIT_ENDPOINTS:
            file = store.stage()
            self.staged.append(file)
        else:
            file = super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )
        self.opened.append(file)
        return file

    def close(self) -> None:
        """Close every file, even if the body ended early; remove files that are still staged."""
        super().close()
        for file in self.opened:
            # On a full disk, the final flush fails again.
            with suppress(OSError):
                file.close()
        for file in self.staged:
            Path(file.name).unlink(missing_ok=True)  # a missing file was moved into storage
