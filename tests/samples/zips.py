"""Office files in zip archives as different programs write them, and other archives."""

import io
import struct
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape

SCHEMAS = "http://schemas.openxmlformats.org"
RELATIONSHIPS = f"{SCHEMAS}/officeDocument/2006/relationships"
STRICT_RELATIONSHIPS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORD_WITH_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
WORD_TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
TYPES_PART, RELATIONSHIPS_PART = "[Content_Types].xml", "_rels/.rels"


@dataclass
class Package:
    """An Office document: its parts by name, in order, and how they are packed."""

    parts: dict[str, str]
    encoding: str = "utf-8"
    method: int = zipfile.ZIP_DEFLATED
    comment: bytes = b""

    def pack(self) -> bytes:
        head = f'<?xml version="1.0" encoding="{self.encoding}" standalone="yes"?>\n'
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", self.method) as archive:
            for name, content in self.parts.items():
                # A fixed time makes the bytes of a document reproducible.
                info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
                info.filename = name  # keeps a backslash, which ZipInfo replaces
                info.compress_type = self.method
                archive.writestr(info, (head + content).encode(self.encoding))
            archive.comment = self.comment
        return written.getvalue()


def word(
    text: str = "Ana Ruiz, attorney", main: str = "word/document.xml", content_type: str = WORD
) -> Package:
    """A Word document of one paragraph."""
    body = (
        f'<w:document xmlns:w="{SCHEMAS}/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p></w:body></w:document>"
    )
    return _package(main, content_type, body)


def docx(text: str = "Ana Ruiz, attorney", content_type: str = WORD) -> bytes:
    """The bytes of a Word document."""
    return word(text, content_type=content_type).pack()


def docm() -> bytes:
    """Return the same document, marked as containing macros."""
    return docx(content_type=WORD_WITH_MACROS)


def dotx() -> bytes:
    """Return the same document with the type of a template."""
    return docx(content_type=WORD_TEMPLATE)


def xlsx() -> bytes:
    """A workbook without a sheet."""
    body = f'<workbook xmlns="{SCHEMAS}/spreadsheetml/2006/main"><sheets/></workbook>'
    return _package("xl/workbook.xml", WORKBOOK, body).pack()


def archive(*names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of empty files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as made:
        for name in names:
            made.writestr(name, b"")
    return written.getvalue()


def streamed(package: bytes, *, zip64: bool = False) -> bytes:
    """Return the package as written by a program that cannot seek.

    Sizes follow each part; with `zip64` they are 64 bits wide.
    """

    class Pipe(io.RawIOBase):
        written = b""

        def writable(self) -> bool:
            return True

        # The base accepts any buffer, but zipfile writes only bytes.
        def write(self, content: bytes) -> int:  # type: ignore[override]
            self.written += bytes(content)
            return len(content)

    pipe = Pipe()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as source,
        zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in source.namelist():
            with copy.open(name, "w", force_zip64=zip64) as part:
                part.write(source.read(name))
    return pipe.written


def in_zip64(package: bytes) -> bytes:
    """Return the package with ZIP64 end records, which some programs always write."""
    body, end = package[:-22], package[-22:]
    *_, count, size, offset, _ = struct.unpack("<4s4H2LH", end)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body), 1)
    return body + record + locator + b"PK\5\6" + b"\0" * 4 + b"\xff" * 12 + b"\0\0"


def with_zip64_rows(package: bytes, disk: bytes = b"") -> bytes:
    """Return the package with all sizes and offsets of its directory in 64 bits, then `disk`."""
    body, end = package[:-22], package[-22:]
    *_, count, _, offset, _ = struct.unpack("<4s4H2LH", end)
    directory = b""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for entry in archive.infolist():
            name = entry.filename.encode()
            numbers = entry.file_size, entry.compress_size, entry.header_offset
            extra = struct.pack("<2H3Q", 1, 24 + len(disk), *numbers) + disk
            versions_and_flags = 45, 45, 0, entry.compress_type, 0, 33
            directory += struct.pack("<4s6HL", b"PK\1\2", *versions_and_flags, entry.CRC)
            directory += b"\xff" * 8
            directory += struct.pack("<3H", len(name), len(extra), 0)
            if disk:
                directory += b"\xff\xff"
            else:
                directory += b"\0\0"
            directory += bytes(6) + b"\xff" * 4 + name + extra
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), offset, 0)
    return body[:offset] + directory + end


def override(part: str, content_type: str = WORD) -> str:
    """Return a row of the list of types."""
    return f'<Override PartName="{part}" ContentType="{content_type}"/>'


def types(rows: str) -> str:
    """Return the list of types."""
    return f'<Types xmlns="{SCHEMAS}/package/2006/content-types">{rows}</Types>'


def relationship(target: str, kind: str = RELATIONSHIPS) -> str:
    """Return a list of relationships with one row, for the main part."""
    return (
        f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}/officeDocument" Target="{target}"/></Relationships>'
    )


def _package(main: str, content_type: str, body: str) -> Package:
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    rows = f'<Default Extension="rels" ContentType="{rels}"/>{override(f"/{main}", content_type)}'
    return Package({TYPES_PART: types(rows), RELATIONSHIPS_PART: relationship(main), main: body})
