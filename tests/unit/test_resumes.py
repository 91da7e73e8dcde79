"""A resume is recognized by its bytes, and its type must match its file name."""

import contextlib
import hashlib
import io
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadapp import create_app
from leadapp.errors import Refused
from leadapp.resumes import pdf
from leadapp.resumes.formats import DOC, DOCX, PDF, WARNINGS
from leadapp.resumes.inspect import clean_filename, inspect
from tests import samples
from tests.samples.ole import Tree, compound_file
from tests.samples.zips import WORD


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("instance")
    with create_app({"INSTANCE_PATH": str(folder)}).app_context():
        yield


def refusal(content: bytes, filename: str) -> str:
    with pytest.raises(Refused) as caught:
        inspect(io.BytesIO(content), filename)
    return str(caught.value.args[0].code.key)


@pytest.mark.parametrize(
    ("content", "filename", "content_type"),
    [
        (samples.pdf(), "cv.pdf", PDF),
        (samples.pdf(), "CV.PDF", PDF),
        (b"\n" * 1000 + samples.pdf(), "cv.pdf", PDF),
        (b"\xef\xbb\xbf" + samples.pdf(), "cv.pdf", PDF),
        (b"HTTP/1.1 200 OK\r\nFrom: <ana@example.com>\r\n\r\n" + samples.pdf(), "cv.pdf", PDF),
        (samples.pdf() + b"\0" * 20_000, "cv.pdf", PDF),
        (samples.pdf() + b"\0" * 3_000_000, "cv.pdf", PDF),
        (samples.pdf() + b"\r\n" * 40_000, "cv.pdf", PDF),
        (samples.pdf() + b"\xff\x1a" * 40_000, "cv.pdf", PDF),
        (samples.pdf() + b"1 0 obj\n<< >>\nendobj\n%%EOF", "cv.pdf", PDF),
        (samples.pdf(locked=True), "cv.pdf", PDF),
        (samples.pdf(size=samples.LIMIT), "cv.pdf", PDF),
        (samples.doc(), "cv.doc", DOC),
        (samples.docx(), "cv.docx", DOCX),
        (samples.locked_docx(), "cv.docx", DOCX),
    ],
)
def test_a_resume_is_accepted(content: bytes, filename: str, content_type: str) -> None:
    resume = inspect(io.BytesIO(content), filename)
    assert (resume.filename, resume.content_type, resume.size) == (
        filename,
        content_type,
        len(content),
    )
    assert resume.sha256 == hashlib.sha256(content).hexdigest()
    assert filename.rsplit(".", 1)[0] not in resume.key


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (samples.HTML, "cv.pdf", "resume_is_html"),
        (b"%PDF-1.4 and no more", "cv.pdf", "resume_incomplete"),
        (samples.pdf() + b"1 0 obj\n<< >>\nend", "cv.pdf", "resume_incomplete"),
        (samples.pdf() + b"1 0 obj\n<< >>\n" + b" " * 100_000, "cv.pdf", "resume_incomplete"),
        (b" " * 1030 + samples.pdf(), "cv.pdf", "resume_type"),
        (samples.pdf(), "cv.docx", "resume_misnamed"),
        (samples.docx(), "cv.pdf", "resume_misnamed"),
        (samples.docx(), "cv.doc", "resume_misnamed"),
        (samples.doc(), "cv.docx", "resume_misnamed"),
        (samples.docm(), "cv.docx", "resume_is_macro"),
        (samples.xlsx(), "cv.docx", "resume_is_office"),
        (samples.docx()[:200], "cv.docx", "resume_incomplete"),
        (samples.doc()[:600], "cv.doc", "resume_incomplete"),
        (samples.pdf(), "cv.exe", "resume_misnamed"),
        (samples.pdf(), "pdf", "resume_misnamed"),
        (b"MZ", "cv.exe", "resume_type"),
        (samples.EMPTY, "cv.pdf", "resume_empty"),
        (samples.oversize_pdf(), "cv.pdf", "resume_too_large"),
    ],
)
def test_anything_else_is_refused(content: bytes, filename: str, code: str) -> None:
    assert refusal(content, filename) == code


@pytest.mark.parametrize(
    ("content", "filename", "warnings"),
    [
        (samples.pdf(), "cv.pdf", []),
        (samples.pdf(locked=True), "cv.pdf", ["password_protected"]),
        (samples.pdf(script=True), "cv.pdf", ["runs_script"]),
        (samples.doc(macros=True), "cv.doc", ["macros"]),
        (samples.doc(locked=True), "cv.doc", ["password_protected"]),
        (samples.docx(), "cv.docx", []),
        (samples.locked_docx(), "cv.docx", ["password_protected"]),
    ],
)
def test_what_a_reader_should_know_is_told(
    content: bytes, filename: str, warnings: list[str]
) -> None:
    resume = inspect(io.BytesIO(content), filename)
    assert list(resume.warnings) == warnings
    assert set(warnings) <= WARNINGS.keys()


def test_a_sign_between_two_pieces_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "PIECE", 64)
    for script in (False, True):
        resume = inspect(io.BytesIO(samples.pdf(script=script)), "cv.pdf")
        assert list(resume.warnings) == ["runs_script"] * script


def zip_of(entries: int, types: bytes = b"") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", types + WORD.encode())
        package.writestr("word/document.xml", b"")
        for number in range(entries):
            package.writestr(f"{number:x}", b"")
    return written.getvalue()


MANY_STREAMS: Tree = {f"s{number}": b"" for number in range(1200)}
MANY_STREAMS["WordDocument"] = b""
HOSTILE = {
    "a zip of 40,000 entries": (zip_of(40_000), "cv.docx"),
    "a zip bomb": (zip_of(0, b" " * 200_000_000), "cv.docx"),
    "a directory of 1,200 entries": (
        compound_file(MANY_STREAMS),
        "cv.doc",
    ),
    "a large PDF of signs": (samples.pdf() + b"/JS" * 1_700_000 + b"%%EOF", "cv.pdf"),
}


@pytest.mark.parametrize(("content", "filename"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_costs_little(content: bytes, filename: str) -> None:
    stream = io.BytesIO(content)
    tracemalloc.start()
    start = time.process_time()
    with contextlib.suppress(Refused):
        inspect(stream, filename)
    spent = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 16 * 2**20
    assert spent <= 1, "100 ms on a quiet machine without tracing"


@given(st.binary(max_size=400), st.sampled_from([".pdf", ".doc", ".docx"]))
def test_no_bytes_break_the_inspection(content: bytes, ending: str) -> None:
    for start in (b"", b"%PDF-", b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")):
        with contextlib.suppress(Refused):
            inspect(io.BytesIO(start + content), f"cv{ending}")


GOOD = {".doc": samples.doc(), ".docx": samples.docx()}


@given(st.integers(0, 3000), st.integers(0, 255), st.sampled_from(list(GOOD)))
def test_no_damage_breaks_the_inspection(place: int, value: int, ending: str) -> None:
    content = bytearray(GOOD[ending])
    content[place % len(content)] = value
    with contextlib.suppress(Refused):
        inspect(io.BytesIO(bytes(content)), f"cv{ending}")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("C:\\fakepath\\cv.pdf", "cv.pdf"),
        ("../../etc/cv.pdf", "cv.pdf"),
        ("Lebenslauf für Ana.pdf", "Lebenslauf für Ana.pdf"),
        ("cv\r\nX: y.pdf", "cvX: y.pdf"),
        ("cv\u202efdp.doc", "cvfdp.doc"),
        ("x" * 300 + ".docx", "x" * 250 + ".docx"),
        (".cv.pdf", "cv.pdf"),
        ("..\u200d. .cv.pdf", "cv.pdf"),
        ("...", ""),
        ("Ana\u00a0Ruiz\u202fCV\u3000(1).pdf", "Ana Ruiz CV (1).pdf"),
        ("\u0645\u06cc\u200c\u062e\u0648.pdf", "\u0645\u06cc\u200c\u062e\u0648.pdf"),
        ("\U0001f469\u200d\U0001f4bc.pdf", "\U0001f469\u200d\U0001f4bc.pdf"),
        ("cv.pdf\u200d ", "cv.pdf"),
        ("cv\uff0e\uff30\uff24\uff26", "cv.PDF"),
    ],
)
def test_a_file_name_is_only_a_label(typed: str, kept: str) -> None:
    assert clean_filename(typed) == kept
