"""What counts as a resume, read from its bytes: a PDF, a Word document, a Word 97 document.

The name's ending and the content must be the same one of the three, whatever type the client claims (OWASP File
Upload cheat sheet). Nothing is expanded but one small part of a zip, up to a cap.
"""

import hashlib
import os
import re
import secrets
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
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

PDF_HEADER_WITHIN = 1024  # readers accept bytes before the header up to here (PDF 1.7, Annex H, note 13)
PDF_TRAILER_WITHIN = 16 * 1024  # real files carry padding after their end
DOCX_ENTRIES_MAX = 5000
DOCX_TYPES_MAX = 256 * 1024
DOCX_MAIN = f"{DOCX}.main+xml".encode()  # macro-enabled documents and templates have another


@dataclass(frozen=True)
class Resume:
    """An accepted file. `staged` is where its bytes lie until they are in storage under `key`."""

    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    warnings: Sequence[str] = ()
    staged: IO[bytes] | None = None

    def described(self) -> dict[str, Any]:
        """Give what is known of the file, by column of a submission."""
        return {name: getattr(self, name) for name in ("filename", "content_type", "size", "sha256", "warnings")}


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
    if not _CONTENT[ending](stream):
        raise Refused("resume_type")
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto
    return Resume(name, CONTENT_TYPES[ending], size, digest, key=secrets.token_hex(16) + ending, staged=stream)


def clean_filename(filename: str) -> str:
    """Take the last part of a visitor's file name, without controls, its ending kept when it is cut."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    name = "".join(
        character for character in name if unicodedata.category(character)[0] not in "CZ" or character == " "
    )
    stem, ending = os.path.splitext(name.strip())
    return stem[: FILENAME_MAX - len(ending)] + ending[:FILENAME_MAX]


def _is_pdf(stream: IO[bytes]) -> bool:
    stream.seek(0)
    header = stream.read(PDF_HEADER_WITHIN)
    stream.seek(-min(PDF_TRAILER_WITHIN, stream.seek(0, os.SEEK_END)), os.SEEK_END)
    return b"%PDF-" in header and b"%%EOF" in stream.read()


def _is_doc(stream: IO[bytes]) -> bool:
    return _ole_has(stream, "WordDocument")


def _is_docx(stream: IO[bytes]) -> bool:
    return _is_word_zip(stream) or _ole_has(stream, "EncryptedPackage")  # with a password it is an OLE2 file


def _ole_has(stream: IO[bytes], name: str) -> bool:
    stream.seek(0)
    if stream.read(8) != olefile.MAGIC:
        return False
    stream.seek(0)
    try:
        return bool(olefile.OleFileIO(stream).exists(name))
    except (OSError, ValueError, IndexError, RecursionError):  # what olefile raises on a broken file
        return False


def _is_word_zip(stream: IO[bytes]) -> bool:
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as package:
            if len(package.infolist()) > DOCX_ENTRIES_MAX or "word/document.xml" not in package.namelist():
                return False
            with package.open("[Content_Types].xml") as types:
                return DOCX_MAIN in types.read(DOCX_TYPES_MAX)
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error):
        return False  # broken, encrypted part by part, or packed in a way no word processor writes


_CONTENT = {".pdf": _is_pdf, ".doc": _is_doc, ".docx": _is_docx}
