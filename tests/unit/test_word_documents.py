"""A DOCX from any program is accepted, and a hostile one costs little time to check."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadapp import create_app
from leadapp.errors import Refused
from leadapp.resumes.formats import DOCX
from leadapp.resumes.inspect import inspect
from tests import samples
from tests.samples import zips
from tests.samples.zips import RELATIONSHIPS_PART, TYPES_PART, Package, word


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("instance")
    with create_app({"INSTANCE_PATH": str(folder)}).app_context():
        yield


def answer(content: bytes) -> str:
    """Return the type of an accepted file, or the error code of a refused one."""
    try:
        return inspect(io.BytesIO(content), "cv.docx").content_type
    except Refused as refused:
        return str(refused.args[0].code.key)


def package(**changed: str) -> bytes:
    """Return a document with its `types` or `relationships` list replaced."""
    made = word()
    if "types" in changed:
        made.parts[TYPES_PART] = zips.types(changed["types"])
    if "relationships" in changed:
        made.parts[RELATIONSHIPS_PART] = changed["relationships"]
    return made.pack()


def renamed(change: dict[str, str]) -> bytes:
    parts = {}
    for name, content in word().parts.items():
        parts[change.get(name, name)] = content
    return Package(parts).pack()


MAIN = "word/document.xml"
DEFAULTS = f'<Default Extension="XML" ContentType="{zips.WORD}"/>'
PREFIXED = f'<p:Override xmlns:p="urn:x" PartName="/{MAIN}" ContentType="{zips.WORD}"/>'
ACCEPTED = {
    "Word for the web": word(main="word/document2.xml").pack(),
    "a main part elsewhere": word(main="body/text.xml").pack(),
    "UTF-16": Package(word().parts, encoding="utf-16").pack(),
    "backslashes": renamed({MAIN: "word\\document.xml", RELATIONSHIPS_PART: "_rels\\.rels"}),
    "a slash before each name": renamed({name: f"/{name}" for name in word().parts}),
    "other case": renamed({TYPES_PART: "[content_types].XML", MAIN: "Word/Document.xml"}),
    "escapes": renamed({TYPES_PART: "%5BContent_Types%5D.xml"}),
    "an escaped main part": package(types=zips.override("/word%2Fdocument.xml")),
    "a target from the root": package(relationships=zips.relationship("/word/document.xml")),
    "a target with a dot": package(relationships=zips.relationship("./word/document.xml")),
    "Strict Open XML": package(
        relationships=zips.relationship(MAIN, zips.STRICT_RELATIONSHIPS),
    ),
    "a type by ending": package(types=DEFAULTS),
    "a type in capitals": package(types=zips.override(f"/{MAIN}", zips.WORD.upper())),
    "namespace prefixes": package(types=PREFIXED),
    "no relationships": renamed({RELATIONSHIPS_PART: "other.xml"}),
    "stored": Package(word().parts, method=zipfile.ZIP_STORED).pack(),
    "a comment": Package(word().parts, comment=b"made by a test").pack(),
    "a comment with a signature": Package(word().parts, comment=b"PK\5\6" + b"x" * 40).pack(),
    "data descriptors": zips.streamed(samples.docx()),
    "sizes of 64 bits": zips.streamed(samples.docx(), zip64=True),
    "an end record of 64 bits": zips.in_zip64(samples.docx()),
    "a directory of 64 bits": zips.with_zip64_rows(samples.docx()),
    "a directory of 64 bits that names its disk": zips.with_zip64_rows(samples.docx(), b"\0\0\0\0"),
    "a buffer's zeros after the end": samples.docx() + bytes(80_000),
}


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
def test_a_document_counts_whatever_program_wrote_it(content: bytes) -> None:
    assert answer(content) == DOCX


def with_entries(count: int) -> bytes:
    made = word()
    for number in range(count - len(made.parts)):
        made.parts[f"word/media/{number}"] = ""
    return made.pack()


def with_expanded(size: int) -> bytes:
    written = io.BytesIO(samples.docx())
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/image1.bmp", bytes(size))
    return written.getvalue()


def with_method(method: int) -> bytes:
    written = io.BytesIO(samples.docx())
    with zipfile.ZipFile(written, "a", method) as archive:
        archive.writestr("word/media/image1.bmp", b"x" * 100)
    return written.getvalue()


def with_second_entry(package: bytes) -> bytes:
    """Return the package plus a small entry with the last entry's name in another case."""
    written = io.BytesIO(package)
    with zipfile.ZipFile(written, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("WORD/media/image1.bmp", b"x")
    return written.getvalue()


def with_entities(encoding: str) -> bytes:
    """Return a document with a list of types that expands to 3 GB through nested entities.

    Each entity expands into ten of the previous one.
    """
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(8))
    made = Package(word().parts, encoding=encoding)
    doctype = f'<!DOCTYPE Types [<!ENTITY e0 "{"x" * 30}">{entities}]>'
    made.parts[TYPES_PART] = doctype + zips.types("&e8;")
    return made.pack()


REFUSED = {
    "too many entries": (with_entries(1001), "resume_unchecked"),
    "too large inside": (with_expanded(101 * 2**20), "resume_unchecked"),
    "LZMA": (with_method(zipfile.ZIP_LZMA), "resume_unchecked"),
    "LZMA, and another entry of that name": (
        with_second_entry(with_method(zipfile.ZIP_LZMA)),
        "resume_unchecked",
    ),
    "too large inside, and another entry of that name": (
        with_second_entry(with_expanded(101 * 2**20)),
        "resume_unchecked",
    ),
    "its lists in LZMA": (
        Package(word().parts, method=zipfile.ZIP_LZMA).pack(),
        "resume_unchecked",
    ),
    "entities": (with_entities("utf-8"), "resume_unchecked"),
    "entities in UTF-16": (with_entities("utf-16"), "resume_unchecked"),
    "deep XML": (package(types="<a>" * 170_000), "resume_unchecked"),
    "a large list": (package(types=" " * 2**20), "resume_unchecked"),
    "a program before it": (b"MZ" + samples.docx(), "resume_type"),
    "macros": (samples.docm(), "resume_is_macro"),
    "a template": (samples.dotx(), "resume_is_template"),
    "a workbook": (samples.xlsx(), "resume_is_office"),
    "relationships that name a part with macros": (
        package(
            types=zips.override("/word/other.xml")
            + zips.override(f"/{MAIN}", zips.WORD_WITH_MACROS)
        ),
        "resume_is_macro",
    ),
    "broken XML": (package(types="<"), "resume_incomplete"),
    "a cut": (samples.docx()[:-30], "resume_incomplete"),
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_none_or_cannot_be_checked_is_refused(content: bytes, code: str) -> None:
    assert answer(content) == code


def test_a_thousand_entries_are_accepted() -> None:
    assert answer(with_entries(1000)) == DOCX


def test_macros_in_a_document_are_a_warning() -> None:
    made = word()
    made.parts["word/vbaProject.bin"] = ""
    stream = io.BytesIO(made.pack())
    assert inspect(stream, "cv.docx").warnings == ["macros"]


@pytest.mark.parametrize("name", ["entities", "entities in UTF-16", "deep XML"])
def test_hostile_xml_costs_little(name: str) -> None:
    def cost(content: bytes) -> float:
        start = time.process_time()
        answer(content)
        return time.process_time() - start

    hostile = min(cost(REFUSED[name][0]) for _ in range(5))
    good = min(cost(samples.docx()) for _ in range(5))
    assert hostile < 100 * good


def test_an_end_record_inside_the_real_one_evades_no_bound() -> None:
    # This signature replaces the entry counts in the real end record. A record that began there
    # would have an empty directory, while zipfile reads the real record.
    names = [f"{number:x}" for number in range(40_000)]
    content = bytearray(zips.archive(*names))
    content[-14:-10] = b"PK\5\6"
    start = time.process_time()
    assert answer(bytes(content)) == "resume_unchecked"
    spent = time.process_time() - start
    start = time.process_time()
    with zipfile.ZipFile(io.BytesIO(content)):
        assert spent < (time.process_time() - start) / 4
