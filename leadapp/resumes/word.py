"""Recognizes Word documents in zip archives (ECMA-376, part 2), and other kinds of archive."""

import struct
import zlib
from typing import IO
from xml.parsers import expat

from ..codes import Code
from .archive import Archive, part_name
from .formats import DOCX, Content, NotAResume

TYPES, RELATIONSHIPS = part_name("[Content_Types].xml"), part_name("_rels/.rels")
# The end of the relationship's type. The URL before it differs in Strict Open XML.
MAIN_RELATIONSHIP = "/relationships/officedocument"
MAIN_TYPE = f"{DOCX}.main+xml"
ELEMENTS_MAX = 2000  # 170,000 nested elements took 0.4 s
MACROS_PART = "/vbaproject.bin"
# Codes by a word in the main part's type. The first match counts: for a spreadsheet with
# macros, it is "spreadsheetml" or "ms-excel".
OTHER_TYPES = {
    "spreadsheetml": Code.RESUME_IS_OFFICE,
    "presentationml": Code.RESUME_IS_OFFICE,
    "ms-excel": Code.RESUME_IS_OFFICE,
    "ms-powerpoint": Code.RESUME_IS_OFFICE,
    "macroenabled": Code.RESUME_IS_MACRO,
    "template.main": Code.RESUME_IS_TEMPLATE,
}
PAGES_PARTS = ("/index/document.iwa", "/index.zip", "/buildversionhistory.plist")
OPENDOCUMENT_PARTS = {"/content.xml", "/meta-inf/manifest.xml"}
# The errors that a broken or hostile file may raise while it is read.
BROKEN = (
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    struct.error,
    zlib.error,
    expat.ExpatError,
)


def read(stream: IO[bytes]) -> Content:
    """Return the type and warnings of a Word document, or raise NotAResume."""
    try:
        archive = Archive(stream)
        if TYPES not in archive.entries:
            raise NotAResume(_without_types(set(archive.entries)))
        main_type = _main_type(archive)
    except BROKEN as error:
        raise NotAResume(Code.RESUME_INCOMPLETE) from error
    if main_type != MAIN_TYPE:
        others = (code for sign, code in OTHER_TYPES.items() if sign in main_type)
        raise NotAResume(next(others, Code.RESUME_TYPE))
    archive.check()
    has_macros = any(name.endswith(MACROS_PART) for name in archive.entries)
    return Content(DOCX, ["macros"] if has_macros else [])


def _without_types(names: set[str]) -> Code:
    """Return the code for an archive that is not an Office document."""
    if names >= OPENDOCUMENT_PARTS:
        return Code.RESUME_IS_ODT
    if any(name.endswith(PAGES_PARTS) for name in names):
        return Code.RESUME_IS_PAGES
    return Code.RESUME_IS_ARCHIVE


def _main_type(archive: Archive) -> str:
    """Return the content type of the main part in lower case, or "" if there is no main part.

    The package's relationships name the main part. If they name none that exists, the main part is
    one with the content type of a Word document.
    """
    types = _elements(archive.read(TYPES))
    by_part = {
        part_name(row["PartName"]): _plain(row["ContentType"])
        for element, row in types
        if element == "Override"
    }
    by_ending = {
        row["Extension"].lower(): _plain(row["ContentType"])
        for element, row in types
        if element == "Default"
    }
    for part in [*_related(archive), *_parts_of_main_type(by_part)]:
        if part in archive.entries:
            return by_part.get(part) or by_ending.get(part.rpartition(".")[2], "")
    return ""


def _related(archive: Archive) -> list[str]:
    """Return the parts that the package's relationships name as the main part."""
    if RELATIONSHIPS not in archive.entries:
        return []
    return [
        part_name(row["Target"])
        for element, row in _elements(archive.read(RELATIONSHIPS))
        if element == "Relationship" and row["Type"].lower().endswith(MAIN_RELATIONSHIP)
    ]


def _parts_of_main_type(by_part: dict[str, str]) -> list[str]:
    return [part for part, type_ in by_part.items() if type_ == MAIN_TYPE]


def _plain(content_type: str) -> str:
    """Return a media type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def _elements(xml: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a part as pairs of a name without namespace and attributes.

    Raises NotAResume for a DTD, which Open XML forbids. Only a DTD can declare entities: without
    one, the parser expands and fetches none. Expat reads UTF-8 and UTF-16, as the standard allows.
    """
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(found) == ELEMENTS_MAX:
            raise NotAResume(Code.RESUME_UNCHECKED)
        found.append((name.rpartition(" ")[2], attributes))

    def refuse(*_doctype: object) -> None:
        raise NotAResume(Code.RESUME_UNCHECKED)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(xml, True)
    return found
