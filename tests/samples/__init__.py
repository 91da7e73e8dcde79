"""Small real documents made in code: resumes, and files that people send by mistake."""

from tests.samples.ole import doc, locked_docx
from tests.samples.pdf import LIMIT, pdf
from tests.samples.zips import docm, docx, dotx, xlsx

__all__ = [
    "EMPTY",
    "HTML",
    "LIMIT",
    "doc",
    "docm",
    "docx",
    "dotx",
    "locked_docx",
    "oversize_pdf",
    "pdf",
    "upload",
    "xlsx",
]

EMPTY = b""
HTML = b"<!doctype html><title>Ana Ruiz</title><script>alert('%PDF-')</script><h1>Ana Ruiz</h1>\n"


def oversize_pdf() -> bytes:
    """Return a PDF one byte over the default limit; `pdf(size=LIMIT)` is the largest allowed."""
    return pdf(size=LIMIT + 1)


def upload(content: bytes | None = None, filename: str = "cv.pdf") -> dict[str, tuple[str, bytes]]:
    """Return the `files` argument of httpx for a submission; by default a small PDF."""
    if content is None:
        content = pdf()
    return {"resume": (filename, content)}
