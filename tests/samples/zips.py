"""Office files that are zip archives: Word, Word with macros, and a workbook that is neither."""

import io
import zipfile
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SCHEMAS = "http://schemas.openxmlformats.org"
MAIN_PART = f"{SCHEMAS}/officeDocument/2006/relationships/officeDocument"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORD_WITH_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def docx(text: str = "Ana Ruiz, attorney", content_type: str = WORD) -> bytes:
    """A Word document of one paragraph."""
    body = (
        f'<w:document xmlns:w="{SCHEMAS}/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p></w:body></w:document>"
    )
    return _package("word/document.xml", content_type, body)


def docm() -> bytes:
    """The same, said to hold macros."""
    return docx(content_type=WORD_WITH_MACROS)


def xlsx() -> bytes:
    """A workbook without a sheet."""
    return _package(
        "xl/workbook.xml",
        WORKBOOK,
        f'<workbook xmlns="{SCHEMAS}/spreadsheetml/2006/main"><sheets/></workbook>',
    )


def _package(main: str, content_type: str, body: str) -> bytes:
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{SCHEMAS}/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/{main}" ContentType="{content_type}"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{SCHEMAS}/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{MAIN_PART}" Target="{main}"/></Relationships>'
        ),
        main: body,
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # A fixed time, so that the same document is the same bytes.
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), HEAD + content)
    return written.getvalue()
