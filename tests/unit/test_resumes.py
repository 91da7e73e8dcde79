"""What counts as a resume is read from its bytes, and must be what its name says."""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadapp import create_app, resumes
from leadapp.errors import Refused
from tests import samples


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("instance")
    with create_app({"INSTANCE_PATH": str(folder)}).app_context():
        yield


def refusal(content: bytes, filename: str) -> str:
    with pytest.raises(Refused) as caught:
        resumes.inspect(io.BytesIO(content), filename)
    return str(caught.value.args[0].code)


@pytest.mark.parametrize(
    ("content", "filename", "content_type"),
    [
        (samples.pdf(), "cv.pdf", resumes.PDF),
        (samples.pdf(), "CV.PDF", resumes.PDF),
        (b"\n" * 1000 + samples.pdf(), "cv.pdf", resumes.PDF),
        (samples.pdf() + b"\0" * 3000, "cv.pdf", resumes.PDF),
        (samples.pdf(locked=True), "cv.pdf", resumes.PDF),
        (samples.pdf(size=samples.LIMIT), "cv.pdf", resumes.PDF),
        (samples.doc(), "cv.doc", resumes.DOC),
        (samples.docx(), "cv.docx", resumes.DOCX),
        (samples.locked_docx(), "cv.docx", resumes.DOCX),
    ],
)
def test_a_resume_is_accepted(content: bytes, filename: str, content_type: str) -> None:
    resume = resumes.inspect(io.BytesIO(content), filename)
    assert (resume.filename, resume.content_type, resume.size) == (filename, content_type, len(content))
    assert resume.sha256 == hashlib.sha256(content).hexdigest()
    assert filename.rsplit(".", 1)[0] not in resume.key


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (samples.HTML, "cv.pdf", "resume_type"),
        (b"%PDF-1.4 and no more", "cv.pdf", "resume_type"),
        (b" " * 1030 + samples.pdf(), "cv.pdf", "resume_type"),
        (samples.pdf(), "cv.docx", "resume_type"),
        (samples.docx(), "cv.pdf", "resume_type"),
        (samples.docx(), "cv.doc", "resume_type"),
        (samples.doc(), "cv.docx", "resume_type"),
        (samples.docm(), "cv.docx", "resume_type"),
        (samples.xlsx(), "cv.docx", "resume_type"),
        (samples.docx()[:200], "cv.docx", "resume_type"),
        (samples.doc()[:600], "cv.doc", "resume_type"),
        (samples.pdf(), "cv.exe", "resume_type"),
        (samples.pdf(), "pdf", "resume_type"),
        (samples.EMPTY, "cv.pdf", "resume_empty"),
        (samples.oversize_pdf(), "cv.pdf", "resume_too_large"),
    ],
)
def test_anything_else_is_refused(content: bytes, filename: str, code: str) -> None:
    assert refusal(content, filename) == code


@given(st.binary(max_size=400), st.sampled_from([".pdf", ".doc", ".docx"]))
def test_no_bytes_break_the_inspection(content: bytes, ending: str) -> None:
    for start in (b"", b"%PDF-", b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")):
        with contextlib.suppress(Refused):
            resumes.inspect(io.BytesIO(start + content), f"cv{ending}")


@given(st.integers(0, 3000), st.integers(0, 255), st.sampled_from([".doc", ".docx"]))
def test_no_damage_breaks_the_inspection(place: int, value: int, ending: str) -> None:
    content = bytearray(samples.doc() if ending == ".doc" else samples.docx())
    content[place % len(content)] = value
    with contextlib.suppress(Refused):
        resumes.inspect(io.BytesIO(bytes(content)), f"cv{ending}")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("C:\\fakepath\\cv.pdf", "cv.pdf"),
        ("../../etc/cv.pdf", "cv.pdf"),
        ("Lebenslauf für Ana.pdf", "Lebenslauf für Ana.pdf"),
        ("cv\r\nX: y.pdf", "cvX: y.pdf"),
        ("cv\u202efdp.doc", "cvfdp.doc"),
        ("x" * 300 + ".docx", "x" * 250 + ".docx"),
    ],
)
def test_a_file_name_is_only_a_label(typed: str, kept: str) -> None:
    assert resumes.clean_filename(typed) == kept
