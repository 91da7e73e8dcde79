"""PDF files: checks the header and the end, and finds signs of a password or a script."""

import os
import re
from collections.abc import Iterator
from typing import IO

from ..codes import Code
from .formats import MARKUP, PDF, Content, NotAResume, other_format

HEADER = b"%PDF-"
# PDF readers accept a header anywhere in the first 1,024 bytes (PDF 1.7, Annex H, note 13).
HEADER_WITHIN = 1024
END = b"%%EOF"
OBJECT = b" 0 obj"
PIECE = 2**16
OVERLAP = 16
SIGNS = {
    "password_protected": re.compile(rb"/Encrypt\b"),
    "runs_script": re.compile(rb"/(JS|JavaScript)\b"),
}
ANY_SIGN = re.compile(b"|".join(sign.pattern for sign in SIGNS.values()))


def is_pdf(head: bytes) -> bool:
    """Return whether a file begins like a PDF.

    The bytes before the header must not look like a web page, a program, or an archive with a PDF
    inside.
    """
    before, header, _ = head[:HEADER_WITHIN].partition(HEADER)
    if not header or MARKUP.search(before) or b"PK\3\4" in before:
        return False
    return other_format(before) is None


def read(stream: IO[bytes]) -> Content:
    """Return the type and warnings of a PDF, or raise NotAResume if its end is missing."""
    if not _is_complete(stream):
        raise NotAResume(Code.RESUME_INCOMPLETE)
    warnings = set()
    for piece in _pieces(stream):
        # Most files have neither sign, so most pieces need only this one search.
        if ANY_SIGN.search(piece):
            warnings.update(_warnings(piece))
    return Content(PDF, sorted(warnings))


def _warnings(piece: bytes) -> list[str]:
    return [warning for warning, sign in SIGNS.items() if sign.search(piece)]


def _is_complete(stream: IO[bytes]) -> bool:
    """Return whether no object follows the last end mark.

    Padding of any length may follow the mark; some programs write 80 KB. A PDF that was saved twice
    or arranged for the web has several end marks. If it is cut off, the earlier marks remain, but
    an object follows the last of them.
    """
    for piece in _pieces_from_end(stream):
        end = piece.rfind(END)
        if OBJECT in piece[max(end, 0) :]:
            return False
        if end >= 0:
            return True
    return False


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield overlapping pieces of the file, so that no sign is split between two pieces.

    The whole file is never in memory.
    """
    stream.seek(0)
    piece = b""
    while more := stream.read(PIECE):
        piece = piece[-OVERLAP:] + more
        yield piece


def _pieces_from_end(stream: IO[bytes]) -> Iterator[bytes]:
    at = stream.seek(0, os.SEEK_END)
    while at > 0:
        start = max(0, at - PIECE)
        stream.seek(start)
        yield stream.read(at - start + OVERLAP)
        at = start
