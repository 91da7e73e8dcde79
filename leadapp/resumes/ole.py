"""Compound files (OLE2): Word 97 documents, and .docx files with a password."""

import struct
from typing import IO, Any

import olefile

from ..codes import Code
from .formats import DOC, DOCX, Content, NotAResume

ENTRIES_MAX = 1000
DOC_ENCRYPTED = 0x0100  # a flag in the file information block (MS-DOC, 2.5.2)
OFFICE = ("Workbook", "Book", "PowerPoint Document")
# The errors that a broken or hostile file may raise while it is read.
BROKEN = (OSError, ValueError, LookupError, RuntimeError, EOFError, OverflowError, struct.error)


def read(stream: IO[bytes]) -> Content:
    """Return the type and warnings of a Word document, or raise NotAResume."""
    try:
        return _word(_BoundedOle(stream))
    except BROKEN as error:
        raise NotAResume(Code.RESUME_INCOMPLETE) from error


def _word(ole: olefile.OleFileIO) -> Content:
    if ole.exists("WordDocument"):
        return Content(DOC, _warnings(ole))
    if ole.exists("EncryptedPackage"):
        return Content(DOCX, ["password_protected"])
    if any(ole.exists(stream) for stream in OFFICE):
        raise NotAResume(Code.RESUME_IS_OFFICE)
    raise NotAResume(Code.RESUME_TYPE)


def _warnings(ole: olefile.OleFileIO) -> list[str]:
    information_block = ole.openstream("WordDocument").read(12)
    flags = int.from_bytes(information_block[10:], "little")
    warnings = []
    if ole.exists("Macros"):
        warnings.append("macros")
    if flags & DOC_ENCRYPTED:
        warnings.append("password_protected")
    return warnings


class _BoundedOle(olefile.OleFileIO):
    """Reads at most ENTRIES_MAX directory entries; a hostile file of 2 MB took half a second."""

    entries = 0

    def _load_direntry(self, sid: int) -> Any:  # olefile has no types
        self.entries += 1
        if self.entries > ENTRIES_MAX:
            raise NotAResume(Code.RESUME_UNCHECKED)
        return super()._load_direntry(sid)
