"""A refusal names the type of the file and the way to fix the problem."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadapp import create_app
from leadapp.errors import Refused
from leadapp.resumes.inspect import inspect
from tests import samples
from tests.samples import zips
from tests.samples.ole import compound_file


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("instance")
    with create_app({"INSTANCE_PATH": str(folder)}).app_context():
        yield


def words(content: bytes, filename: str) -> str:
    with pytest.raises(Refused) as caught:
        inspect(io.BytesIO(content), filename)
    return str(caught.value)


PRINT = "open it, choose Print and save it as PDF"
SAVE = "open it and save it as PDF"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
ODT = zips.archive("mimetype", "content.xml", "META-INF/manifest.xml")
WORD_XML = b'<?xml version="1.0"?>\r\n<?mso-application progid="Word.Document"?><w:wordDocument>'
MHTML = b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n'
NAMED = [
    (b"{\\rtf1\\ansi Ana}", "cv.doc", f"cv.doc is RTF inside: {SAVE}"),
    (b"\r\n{\\rtf1 Ana}", "cv.rtf", f"cv.rtf is RTF inside: {SAVE}"),
    (samples.HTML, "cv.pdf", f"cv.pdf is a web page (HTML) inside: {PRINT}"),
    (b"\xef\xbb\xbf\n<html>", "cv.doc", f"cv.doc is a web page (HTML) inside: {PRINT}"),
    (
        "\ufeff<HTML>".encode("utf-16-le"),
        "cv.doc",
        f"cv.doc is a web page (HTML) inside: {PRINT}",
    ),
    (b"<?xml version='1.0'?><html>", "cv.doc", f"cv.doc is a web page (HTML) inside: {PRINT}"),
    (MHTML, "cv.doc", f"cv.doc is a web page (HTML) inside: {PRINT}"),
    (WORD_XML, "cv.doc", "cv.doc is Word XML inside: open it in Word and save it as PDF"),
    (
        samples.docx(),
        "cv.doc",
        f"cv.doc is a DOCX file inside: rename it to cv.docx, or {SAVE}",
    ),
    (samples.doc(), "CV.DOCX", f"CV.DOCX is a DOC file inside: rename it to CV.doc, or {SAVE}"),
    (samples.pdf(), "cv.docx", f"cv.docx is a PDF file inside: rename it to cv.pdf, or {SAVE}"),
    (samples.pdf(), "cv", f"cv is a PDF file inside: rename it to cv.pdf, or {SAVE}"),
    (
        samples.locked_docx(),
        "cv.doc",
        f"cv.doc is a DOCX file inside: rename it to cv.docx, or {SAVE}",
    ),
    (samples.pdf(), "", f"The file is a PDF file inside: rename it to resume.pdf, or {SAVE}"),
    (
        samples.pdf(),
        "x" * 100 + ".doc",
        f"{'x' * 40}….doc is a PDF file inside: rename it to {'x' * 40}….pdf, or {SAVE}",
    ),
    (samples.dotx(), "cv.docx", f"cv.docx is a Word template: {SAVE} or DOCX"),
    (samples.doc(), "cv.dot", f"cv.dot is a Word template: {SAVE} or DOCX"),
    (samples.docm(), "cv.docm", f"cv.docm is a Word document with macros: {SAVE} or DOCX"),
    (samples.xlsx(), "cv.docx", f"cv.docx is an Excel or PowerPoint file: {SAVE}"),
    (
        compound_file({"Workbook": b""}),
        "cv.doc",
        f"cv.doc is an Excel or PowerPoint file: {SAVE}",
    ),
    (ODT, "cv.odt", f"cv.odt is an OpenDocument (ODT) file: {SAVE} or DOCX"),
    (
        zips.archive("Index/Document.iwa", "preview.jpg"),
        "cv.pages",
        "cv.pages is a Pages document: open it in Pages and export it to PDF",
    ),
    (
        zips.archive("cv.pages/Index.zip"),
        "cv.docx",
        "cv.docx is a Pages document: open it in Pages and export it to PDF",
    ),
    (HEIC, "IMG_1.HEIC", f"IMG_1.HEIC is a photo (HEIC): {PRINT}"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF", "cv.jpg", f"cv.jpg is a picture: {PRINT}"),
    (b"\x89PNG\r\n\x1a\n", "cv.pdf", f"cv.pdf is a picture: {PRINT}"),
    (
        zips.archive("cv.pdf"),
        "cv.zip",
        "cv.zip is an archive, such as a ZIP file: open it and send only the resume inside",
    ),
    (
        b"Rar!\x1a\7\0",
        "cv.pdf",
        "cv.pdf is an archive, such as a ZIP file: open it and send only the resume inside",
    ),
    (
        b'{"url": "https://docs.google.com/open?id=1", "doc_id": "1"}',
        "cv.gdoc",
        "cv.gdoc is only a link to a document: download the document as PDF and send that file",
    ),
    (samples.pdf()[:-10], "cv.pdf", "cv.pdf looks incomplete: save it again"),
    (samples.docx()[:200], "cv.docx", "cv.docx looks incomplete: save it again"),
    (samples.doc()[:600], "cv.doc", "cv.doc looks incomplete: save it again"),
    (b"MZ", "cv.exe", "The resume must be a PDF, DOC or DOCX file"),
    (b"Ana Ruiz", "cv.txt", "The resume must be a PDF, DOC or DOCX file"),
]


@pytest.mark.parametrize(
    ("content", "filename", "said"), NAMED, ids=[said[:40] for _, _, said in NAMED]
)
def test_a_refusal_names_the_file_and_the_way_out(content: bytes, filename: str, said: str) -> None:
    assert words(content, filename) == said


BEFORE_THE_HEADER = {
    "a tag": b"saved <b>by</b> a site ",
    "a page": b"<!DOCTYPE html><html>",
    "a program": b"MZ\x90\0" + bytes(60),
    "a zip": b"junk PK\3\4 junk",
    "a picture": b"GIF89a" + bytes(60),
}


@pytest.mark.parametrize("before", BEFORE_THE_HEADER.values(), ids=BEFORE_THE_HEADER)
def test_a_pdf_inside_something_else_is_no_pdf(before: bytes) -> None:
    with pytest.raises(Refused):
        inspect(io.BytesIO(before + samples.pdf()), "cv.pdf")
