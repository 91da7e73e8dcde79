"""Recognizes Word documents in zip archives (ECMA-376, part 2), and other kinds of archive."""

import struct
import zlib
from typing import IO, NamedTuple
from xml.parsers import expat

from ..codes import Code
from .archive import Archive, part_name
from .formats import DOCX, Content, NotAResume

TYPES = part_name("[Content_Types].xml")
RELATIONSHIPS = part_name("_rels/.rels")
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


class Element(NamedTuple):
    """An XML element: its name without the namespace, and its attributes."""

    name: str
    attributes: dict[str, str]


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
        raise NotAResume(_other_type(main_type))
    archive.check()
    if any(name.endswith(MACROS_PART) for name in archive.entries):
        return Content(DOCX, ["macros"])
    return Content(DOCX)


def _other_type(main_type: str) -> Code:
    """Return the code for the type of a main part that is not a Word document."""
    for sign, code in OTHER_TYPES.items():
        if sign in main_type:
            return code
    return Code.RESUME_TYPE


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
    by_part = {}
    by_ending = {}
    for name, attributes in _elements(archive.read(TYPES)):
        if name == "Override":
            part = part_name(attributes["PartName"])
            by_part[part] = _plain(attributes["ContentType"])
        elif name == "Default":
            ending = attributes["Extension"].lower()
            by_ending[ending] = _plain(attributes["ContentType"])
    for part in _related(archive) + _parts_of_main_type(by_part):
        if part in archive.entries:
            ending = part.rpartition(".")[2]
            return by_part.get(part) or by_ending.get(ending, "")
    return ""


def _related(archive: Archive) -> list[str]:
    """Return the parts that the package's relationships name as the main part."""
    if RELATIONSHIPS not in archive.entries:
        return []
    parts = []
    for name, attributes in _elements(archive.read(RELATIONSHIPS)):
        if name != "Relationship":
            continue
        if attributes["Type"].lower().endswith(MAIN_RELATIONSHIP):
            parts.append(part_name(attributes["Target"]))
    return parts


def _parts_of_main_type(by_part: dict[str, str]) -> list[str]:
    return [part for part, type_ in by_part.items() if type_ == MAIN_TYPE]


def _plain(content_type: str) -> str:
    """Return a media type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def _elements(xml: bytes) -> list[Element]:
    """Return the elements of a part.

    Raises NotAResume for a DTD, which Open XML forbids. Only a DTD can declare entities: without
    one, the parser expands and fetches none. Expat reads UTF-8 and UTF-16, as the standard allows.
    """
    found: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(found) == ELEMENTS_MAX:
            raise NotAResume(Code.RESUME_UNCHECKED)
        found.append(Element(name.rpartition(" ")[2], attributes))

    def refuse(*_doctype: object) -> None:
        raise NotAResume(Code.RESUME_UNCHECKED)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(xml, True)
    return found
