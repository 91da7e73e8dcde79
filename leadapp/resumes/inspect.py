"""Decides whether a file is an acceptable resume, and cleans its name."""

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import olefile

from ..codes import Code
from ..config import settings
from ..errors import Refused
from ..formatting import filesize
from ..models.leads import FILENAME_MAX
from . import ole, pdf, word
from .formats import CONTENT_TYPES, ENDINGS, KINDS, Content, NotAResume, other_format

SHOWN_MAX = 40  # characters of a file name in a message
JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji need them
HEAD = 4096


@dataclass(frozen=True)
class Resume:
    """An accepted file.

    Its bytes are in `staged` until `kept_at` (Unix time), and then in storage under `key`.
    `warnings` are codes.
    """

    filename: str
    content_type: str
    size: int
    sha256: str
    key: str
    warnings: Sequence[str] = ()
    staged: IO[bytes] | None = None
    kept_at: float = 0


def inspect(stream: IO[bytes], filename: str) -> Resume:
    """Return an uploaded file as a Resume, or raise Refused with the reason."""
    name = clean_filename(filename)
    size = stream.seek(0, os.SEEK_END)
    ending = os.path.splitext(name)[1].lower()
    # A file with another extension is refused for its type, whatever its size.
    if ending in CONTENT_TYPES:
        _check_size(size)
    try:
        content = _content(stream)
    except NotAResume as error:
        raise Refused(error.code, filename=_shown(name)) from error
    if CONTENT_TYPES.get(ending) != content.content_type:
        raise _misnamed(name, content.content_type)
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256")  # type: ignore[arg-type]  # it has readinto
    return Resume(
        filename=name,
        content_type=content.content_type,
        size=size,
        sha256=digest.hexdigest(),
        key=secrets.token_hex(16) + ending,
        warnings=content.warnings,
        staged=stream,
    )


def _check_size(size: int) -> None:
    if size == 0:
        raise Refused(Code.RESUME_EMPTY)
    limit = settings.MAX_FILE_SIZE
    if size > limit:
        raise Refused(Code.RESUME_TOO_LARGE, limit=filesize(limit))


def _content(stream: IO[bytes]) -> Content:
    """Return the type and warnings of a file, or raise NotAResume."""
    stream.seek(0)
    head = stream.read(HEAD)
    if head.startswith(b"PK\3\4"):
        return word.read(stream)
    if head.startswith(olefile.MAGIC):
        return ole.read(stream)
    if pdf.is_pdf(head):
        return pdf.read(stream)
    raise NotAResume(other_format(head) or Code.RESUME_TYPE)


def _misnamed(name: str, content_type: str) -> Refused:
    stem, ending = os.path.splitext(name)
    if ending.lower() == ".dot":  # its content looks like a document's
        return Refused(Code.RESUME_IS_TEMPLATE, filename=_shown(name))
    renamed = (stem or "resume") + ENDINGS[content_type]
    return Refused(
        Code.RESUME_MISNAMED,
        filename=_shown(name),
        kind=KINDS[content_type],
        renamed=_shown(renamed),
    )


def _shown(name: str) -> str:
    """Return a file name for a message, shortened to fit on a line."""
    stem, ending = os.path.splitext(name or "The file")
    if len(stem) > SHOWN_MAX:
        stem = stem[:SHOWN_MAX] + "…"
    return stem + ending[:SHOWN_MAX]


def clean_filename(filename: str) -> str:
    """Return the last part of a visitor's file name, without control characters.

    A name that is too long is shortened before its extension.
    """
    path = unicodedata.normalize("NFC", filename[-4 * FILENAME_MAX :])
    last_part = re.split(r"[/\\]", path)[-1]
    name = "".join(_clean(character) for character in last_part)
    # Strip leading dots: a file name that begins with a dot is hidden.
    name = name.strip(" " + JOINERS).lstrip(". " + JOINERS)
    stem, ending = os.path.splitext(_plain_ending(name))
    return stem[: FILENAME_MAX - len(ending)] + ending[:FILENAME_MAX]


def _clean(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs":  # includes the no-break spaces of macOS and French keyboards
        return " "
    if category[0] in "CZ" and character not in JOINERS:
        return ""
    return character


def _plain_ending(name: str) -> str:
    """Return a name with its extension in ASCII if it is an accepted one in full-width letters."""
    for ending in CONTENT_TYPES:
        at = max(0, len(name) - len(ending))
        plain = unicodedata.normalize("NFKC", name[at:])
        if plain.lower() == ending:
            return name[:at] + plain
    return name
