"""Reads the directory of a zip archive and single small entries, within fixed limits.

The standard library's zipfile has three problems here. It reads the whole directory before the
caller can check the size. It accepts every compression method that Python supports. It has its own
rule for finding the end record.
"""

import os
import posixpath
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import IO
from urllib.parse import unquote

from ..codes import Code
from .formats import NotAResume

ENTRIES_MAX = 1000
DIRECTORY_MAX = 512 * 1024
EXPANDED_MAX = 100 * 2**20
PART_MAX = 512 * 1024  # enough for a list of 1,000 parts in UTF-16
STORED = 0
DEFLATED = 8
ENCRYPTED = 1  # a bit in the flags of an entry
IN_ZIP64 = 0xFFFFFFFF
ZIP64_EXTRA = 1

# The records of APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.1 and 4.5.3.
LOCAL = Struct("<4s5H3L2H")
CENTRAL = Struct("<4s6H3L5H2L")
END_64 = Struct("<4sQ2H2L4Q")
LOCATOR_64 = Struct("<4sLQL")
END = Struct("<4s4H2LH")
EXTRA = Struct("<2H")
LARGE = Struct("<Q")
COMMENT_MAX = 2**16 - 1


@dataclass(frozen=True)
class Entry:
    """One entry of the directory."""

    name: str
    flags: int
    method: int
    compressed: int
    expanded: int
    offset: int


class Archive:
    """A zip archive.

    `all_entries` has every entry. `entries` has one entry per normalized name (see part_name).
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.all_entries = list(_entries(_directory(stream)))
        self.entries = {part_name(entry.name): entry for entry in self.all_entries}

    def check(self) -> None:
        """Raise NotAResume if the archive expands too far or has an unknown compression method."""
        expanded = 0
        for entry in self.all_entries:
            expanded += entry.expanded
            if expanded > EXPANDED_MAX or entry.method not in (STORED, DEFLATED):
                raise NotAResume(Code.RESUME_UNCHECKED)

    def read(self, name: str) -> bytes:
        """Return one small entry, expanded; raise NotAResume if it is too large or unreadable."""
        entry = self.entries[name]
        if entry.flags & ENCRYPTED or entry.method not in (STORED, DEFLATED):
            raise NotAResume(Code.RESUME_UNCHECKED)
        self.stream.seek(entry.offset)
        header = LOCAL.unpack(self.stream.read(LOCAL.size))
        name_length, extra_length = header[9:11]
        self.stream.seek(name_length + extra_length, os.SEEK_CUR)
        content = self.stream.read(min(entry.compressed, 2 * PART_MAX))
        if entry.method == DEFLATED:
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            content = inflate.decompress(content, PART_MAX + 1)
        if len(content) > PART_MAX:
            raise NotAResume(Code.RESUME_UNCHECKED)
        return content


def part_name(name: str) -> str:
    """Return a normalized name: absolute, case-folded, without escapes (ECMA-376-2).

    Evernote and older .NET programs write a backslash where the format requires a slash.
    """
    path = unquote(name).replace("\\", "/").lstrip("/")
    return posixpath.normpath("/" + path).casefold()


def _directory(stream: IO[bytes]) -> bytes:
    """Return the bytes of the central directory."""
    length = stream.seek(0, os.SEEK_END)
    padded_from = _padded_from(stream, length)
    tail_at = max(0, padded_from - END.size - COMMENT_MAX)
    stream.seek(tail_at)
    # Read END.size bytes more, because the end record itself may end in zeros.
    tail = stream.read(padded_from + END.size - tail_at)
    at = _end_record(tail, length - tail_at)
    entries, size, offset = END.unpack_from(tail, at)[4:7]
    locator_at = at - LOCATOR_64.size
    if locator_at >= 0 and tail.startswith(b"PK\6\7", locator_at):
        _, _, end_at, _ = LOCATOR_64.unpack_from(tail, locator_at)
        stream.seek(end_at)
        entries, size, offset = END_64.unpack(stream.read(END_64.size))[7:10]
    if entries > ENTRIES_MAX or size > DIRECTORY_MAX:
        raise NotAResume(Code.RESUME_UNCHECKED)
    stream.seek(offset)
    return stream.read(size)


def _padded_from(stream: IO[bytes], length: int) -> int:
    """Return the offset of the zero padding that some programs write at the end of a file."""
    at = length
    while at > 0:
        start = max(0, at - 2**16)
        stream.seek(start)
        content = stream.read(at - start).rstrip(b"\0")
        if content:
            return start + len(content)
        at = start
    return 0


def _end_record(tail: bytes, length: int) -> int:
    """Return the offset of the end record.

    It is the last record with a comment that reaches the end of the file or the padding. The
    signature alone is no proof, because it may also occur inside the record or in a comment.
    """
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        if at + END.size <= len(tail):
            comment_length = END.unpack_from(tail, at)[-1]
            end = at + END.size + comment_length
            if end <= length and not tail[end:].strip(b"\0"):
                return at
        at = tail.rfind(b"PK\5\6", 0, at + 3)
    raise NotAResume(Code.RESUME_INCOMPLETE)


def _entries(directory: bytes) -> Iterator[Entry]:
    """Yield the entries of a central directory."""
    at = count = 0
    while directory.startswith(b"PK\1\2", at):
        count += 1
        if count > ENTRIES_MAX:
            raise NotAResume(Code.RESUME_UNCHECKED)
        fields = CENTRAL.unpack_from(directory, at)
        flags, method = fields[3:5]
        compressed, expanded = fields[8:10]
        name_length, extra_length, comment_length = fields[10:13]
        offset = fields[16]
        name_at = at + CENTRAL.size
        extra_at = name_at + name_length
        comment_at = extra_at + extra_length
        name = directory[name_at:extra_at].decode("utf-8", "replace")
        if IN_ZIP64 in (compressed, expanded, offset):
            extra = directory[extra_at:comment_at]
            expanded, compressed, offset = _in_zip64([expanded, compressed, offset], extra)
        yield Entry(name, flags, method, compressed, expanded, offset)
        at = comment_at + comment_length


def _in_zip64(numbers: list[int], extra: bytes) -> list[int]:
    """Return the numbers, reading those that do not fit in 32 bits from the extra field."""
    while extra:
        field, length = EXTRA.unpack_from(extra)
        if field == ZIP64_EXTRA:
            # A disk number of 4 bytes may follow the numbers of 8 bytes.
            whole = length - length % LARGE.size
            values = extra[EXTRA.size : EXTRA.size + whole]
            large = [number for (number,) in LARGE.iter_unpack(values)]
            return _filled_in(numbers, large)
        extra = extra[EXTRA.size + length :]
    return numbers


def _filled_in(numbers: list[int], large: list[int]) -> list[int]:
    """Return the numbers, with the next large number in the place of each that does not fit."""
    filled = []
    for number in numbers:
        filled.append(large.pop(0) if number == IN_ZIP64 else number)
    return filled
