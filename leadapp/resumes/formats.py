"""The three accepted formats, and the first bytes of other formats that people send."""

import re
from dataclasses import dataclass, field

from ..codes import Code

PDF = "application/pdf"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENT_TYPES = {".pdf": PDF, ".doc": DOC, ".docx": DOCX}
KINDS = {PDF: "PDF", DOC: "DOC", DOCX: "DOCX"}
ENDINGS = {content_type: ending for ending, content_type in CONTENT_TYPES.items()}
ACCEPT = ",".join([*CONTENT_TYPES, *KINDS])

# The warnings to show with a resume, by their code.
WARNINGS = {
    "password_protected": "Password-protected",
    "macros": "Contains macros: open it with macros turned off",
    "runs_script": "Runs a script when it is opened",
}

MARKUP = re.compile(rb"<(!doctype|!--|\?|/?[a-z][a-z0-9]*[\s/>])", re.IGNORECASE)
BEFORE_TEXT = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\f"  # byte order marks and white space

BINARY = [
    (Code.RESUME_IS_HEIC, rb".{4}ftyp(hei|hev|mif1|msf1)"),
    (Code.RESUME_IS_IMAGE, rb"\xff\xd8\xff|\x89PNG|GIF8|II\*\0|MM\0\*|8BPS|BM.{4}\0{4}"),
    (Code.RESUME_IS_IMAGE, rb"RIFF.{4}WEBP|.{4}ftypavif"),
    (Code.RESUME_IS_ARCHIVE, rb"PK|Rar!|7z\xbc\xaf|\x1f\x8b|BZh\d1AY|\xfd7zXZ"),
    (Code.RESUME_TYPE, rb"MZ|\x7fELF|#!"),  # programs
]
TEXT = [
    (Code.RESUME_IS_RTF, rb"\{\\rtf"),
    (Code.RESUME_IS_WORD_XML, rb"<\?xml.*(progid=.Word\.Document|wordDocument|pkg:package)"),
    (Code.RESUME_TYPE, rb"<\?xml(?!.*<html)"),
    (Code.RESUME_IS_HTML, MARKUP.pattern),
    # Word's "Single File Web Page"; some job sites name such a file .doc.
    (Code.RESUME_IS_HTML, rb"[a-z-]+:.*multipart/related"),
    (Code.RESUME_IS_LINK, rb"\[InternetShortcut\]|\{.*(\"doc_id\"|docs\.google\.com)"),
]
ANY_CASE = re.DOTALL | re.IGNORECASE
BINARY_SIGNS = [(code, re.compile(sign, re.DOTALL)) for code, sign in BINARY]
TEXT_SIGNS = [(code, re.compile(sign, ANY_CASE)) for code, sign in TEXT]


@dataclass(frozen=True)
class Content:
    """The type of an accepted file, and the codes of the warnings to show with it."""

    content_type: str
    warnings: list[str] = field(default_factory=list)


class NotAResume(Exception):
    """The file is broken or its format is not accepted; `code` is the reason."""

    def __init__(self, code: Code) -> None:
        self.code = code
        super().__init__(code)


def other_format(head: bytes) -> Code | None:
    """Return the code of another format, or None if the first bytes match none."""
    for code, sign in BINARY_SIGNS:
        if sign.match(head):
            return code
    # Without its zero bytes, UTF-16 reads as ASCII.
    text = head.lstrip(BEFORE_TEXT).replace(b"\0", b"")
    for code, sign in TEXT_SIGNS:
        if sign.match(text):
            return code
    return None
