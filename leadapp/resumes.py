"""What counts as a resume, read from its bytes: a PDF, a Word document, a Word 97 document.

The name's ending and the content must be the same one of the three, whatever type the client claims (OWASP File
Upload cheat sheet). Nothing is expanded but one small part of a zip, up to a cap.
"""

import hashlib
import os
import re
import secrets
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import olefile

from .config import current
from .errors import Refused
from .models import FILENAME_MAX
from .wording import filesize

PDF = "application/pdf"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENT_TYPES = {".pdf": PDF, ".doc": DOC, ".docx": DOCX}
KINDS = {PDF: "PDF", DOC: "DOC", DOCX: "DOCX"}
ACCEPT = ",".join((*CONTENT_TYPES, *KINDS))

PDF_HEADER_WITHIN = (
    1024  # readers accept bytes before the header up to here (PDF 1.7, Annex H, note 13)
)
PDF_TRAILER_WITHIN = 16 * 1024  # real files carry padding after their end
PIECE, OVERLAP = 2**16, 16
DOC_ENCRYPTED = 0x0100  # in the flags of the file information block (MS-DOC, 2.5.2)
OLE_ENTRIES_MAX = 1000
ZIP_END_WITHIN = 2**16 + 22  # the end record and the longest comment
ZIP_DIRECTORY_MAX = 512 * 1024
DOCX_TYPES_MAX = 256 * 1024
# What reading a broken, encrypted or hostile file raises.
BROKEN = (
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    EOFError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
DOCX_MAIN = f"{DOCX}.main+xml".encode()  # macro-enabled documents and templates have another


@dataclass(frozen=True)
class Resume:
    """An accepted file. `warnings` are codes; its bytes are `staged` until `kept_at` (Unix time), then under `key`."""

    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    warnings: Sequence[str] = ()
    staged: IO[bytes] | None = None
    kept_at: float = 0

    def described(self) -> dict[str, Any]:
        """Give what is known of the file, by column of a submission."""
        return {
            name: getattr(self, name)
            for name in ("filename", "content_type", "size", "sha256", "warnings")
        }


def inspect(stream: IO[bytes], filename: str) -> Resume:
    """Accept an uploaded file, or raise Refused with the reason."""
    size = stream.seek(0, os.SEEK_END)
    name = clean_filename(filename)
    ending = os.path.splitext(name)[1].lower()
    if ending not in CONTENT_TYPES:
        raise Refused("resume_type")
    if size == 0:
        raise Refused("resume_empty")
    if size > current["MAX_FILE_SIZE"]:
        raise Refused("resume_too_large", limit=filesize(current["MAX_FILE_SIZE"]))
    warnings = _READERS[ending](stream)
    if warnings is None:
        raise Refused("resume_type")
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
    key = secrets.token_hex(16) + ending
    return Resume(name, CONTENT_TYPES[ending], size, digest, key, warnings, stream)


def clean_filename(filename: str) -> str:
    """Take the last part of a visitor's file name, without controls, its ending kept when it is cut."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", filename[-4 * FILENAME_MAX :]))[-1]
    name = "".join(
        character
        for character in name
        if unicodedata.category(character)[0] not in "CZ" or character == " "
    )
    stem, ending = os.path.splitext(name.strip())
    return stem[: FILENAME_MAX - len(ending)] + ending[:FILENAME_MAX]


# Each reader gives the warnings of a file of its kind, and None for anything else.


def _read_pdf(stream: IO[bytes]) -> list[str] | None:
    stream.seek(0)
    header = stream.read(PDF_HEADER_WITHIN)
    stream.seek(-min(PDF_TRAILER_WITHIN, stream.seek(0, os.SEEK_END)), os.SEEK_END)
    if b"%PDF-" not in header or b"%%EOF" not in stream.read():
        return None
    signs = {"password_protected": rb"/Encrypt\b", "runs_script": rb"/(JS|JavaScript)\b"}
    either = re.compile(b"|".join(signs.values()))  # most files hold neither, and are searched once
    suspect = (piece for piece in _pieces(stream) if either.search(piece))
    return sorted(
        {warning for piece in suspect for warning, sign in signs.items() if re.search(sign, piece)}
    )


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Read a file in pieces that overlap, so that no sign is missed between two and none is whole in memory."""
    stream.seek(0)
    piece = b""
    while more := stream.read(PIECE):
        piece = piece[-OVERLAP:] + more
        yield piece


def _read_doc(stream: IO[bytes]) -> list[str] | None:
    if not _is_ole(stream):
        return None
    with suppress(*BROKEN):
        ole = _BoundedOle(stream)
        flags = int.from_bytes(ole.openstream("WordDocument").read(12)[10:], "little")
        signs = {"macros": ole.exists("Macros"), "password_protected": flags & DOC_ENCRYPTED}
        return [warning for warning, there in signs.items() if there]
    return None


def _read_docx(stream: IO[bytes]) -> list[str] | None:
    if not _is_ole(stream):
        return [] if _is_word_zip(stream) else None
    with suppress(*BROKEN):  # with a password, a .docx is an OLE2 file
        return ["password_protected"] if _BoundedOle(stream).exists("EncryptedPackage") else None
    return None


class _BoundedOle(olefile.OleFileIO):
    """Reads only so many entries of a directory: a hostile one of 2 MB took half a second."""

    entries = 0

    def _load_direntry(self, sid: int) -> Any:
        self.entries += 1
        if self.entries > OLE_ENTRIES_MAX:
            raise OSError("too many entries")
        return super()._load_direntry(sid)


def _is_ole(stream: IO[bytes]) -> bool:
    stream.seek(0)
    return stream.read(8) == olefile.MAGIC


def _is_word_zip(stream: IO[bytes]) -> bool:
    stream.seek(-min(ZIP_END_WITHIN, stream.seek(0, os.SEEK_END)), os.SEEK_END)
    tail = stream.read()
    end = tail.rfind(b"PK\5\6")
    # The size of the directory of a zip bounds the work of reading it; a 64-bit one has another place for it.
    if end < 0 or int.from_bytes(tail[end + 12 : end + 16], "little") > ZIP_DIRECTORY_MAX:
        return False
    if tail[max(0, end - 20) : end].startswith(b"PK\6\7"):
        return False
    with suppress(*BROKEN), zipfile.ZipFile(stream) as package:
        if "word/document.xml" in package.namelist():
            with package.open("[Content_Types].xml") as types:
                return DOCX_MAIN in types.read(DOCX_TYPES_MAX)
    return False


_READERS = {".pdf": _read_pdf, ".doc": _read_doc, ".docx": _read_docx}
