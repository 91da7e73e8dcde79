"""PDF files: where they begin and end, and the signs of a password or a script in them."""

import os
import re
from collections.abc import Iterator
from typing import IO

from .formats import MARKUP, PDF, Content, NotAResume, other_format

HEADER = b"%PDF-"
# Readers accept bytes before the header up to here (PDF 1.7, Annex H, note 13).
HEADER_WITHIN = 1024
END, OBJECT = b"%%EOF", b" 0 obj"
PIECE, OVERLAP = 2**16, 16
SIGNS = {
    "password_protected": re.compile(rb"/Encrypt\b"),
    "runs_script": re.compile(rb"/(JS|JavaScript)\b"),
}
ANY_SIGN = re.compile(b"|".join(sign.pattern for sign in SIGNS.values()))


def is_pdf(head: bytes) -> bool:
    """Return whether a file begins as a PDF.

    Nothing before the header may look like a page, a program or an archive with a PDF inside.
    """
    before, header, _ = head[:HEADER_WITHIN].partition(HEADER)
    if not header or MARKUP.search(before) or b"PK\3\4" in before:
        return False
    return other_format(before) is None


def read(stream: IO[bytes]) -> Content:
    """Return the content of a PDF, or raise NotAResume if its end is missing."""
    if not _is_complete(stream):
        raise NotAResume("resume_incomplete")
    warnings = set()
    for piece in _pieces(stream):
        if ANY_SIGN.search(piece):  # most files hold neither sign, so most pieces are searched once
            warnings |= {warning for warning, sign in SIGNS.items() if sign.search(piece)}
    return Content(PDF, sorted(warnings))


def _is_complete(stream: IO[bytes]) -> bool:
    """Return whether the last end mark ends the file.

    Padding of any length may follow it: some writers leave 80 KB. If an object follows, the file
    was cut: a file that was saved twice, or arranged for the web, has an earlier end mark too.
    """
    for piece in _pieces_from_end(stream):
        end = piece.rfind(END)
        if OBJECT in piece[max(end, 0) :]:
            return False
        if end >= 0:
            return True
    return False


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield pieces that overlap, so that no sign is cut in two. The file is never whole in memory."""
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
