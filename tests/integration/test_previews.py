"""A PDF is previewed in a sandboxed frame. For any other file, a page explains the reason."""

import pytest

from leadapp.models.leads import Lead
from leadapp.resumes.store import store
from tests import samples
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import address, kinds
from tests.pages import words

PDF = samples.pdf(size=5000)


@pytest.fixture
def lead(signed_in: Client) -> Lead:
    return LeadFactory.create(submission__content=PDF, submission__filename="José “Pepe” Ruiz.pdf")


def preview(lead: Lead, number: int = 1) -> str:
    submission = next(sent for sent in lead.submissions if sent.number == number)
    return address(lead, f"/submissions/{submission.id}/preview")


def test_a_pdf_opens_where_it_is(signed_in: Client, lead: Lead) -> None:
    answer = signed_in.get(preview(lead))
    assert answer.status_code == 200
    assert answer.data == PDF
    assert answer.mimetype == "application/pdf"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("inline")
    assert "filename*=UTF-8''Jos%C3%A9%20%E2%80%9CPepe%E2%80%9D%20Ruiz.pdf" in disposition
    policy = answer.headers["Content-Security-Policy"]
    assert policy == "sandbox; default-src 'none'; frame-ancestors 'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "X-Frame-Options" not in answer.headers
    assert kinds() == ["previewed"]


def test_a_part_of_it_can_be_asked_for(signed_in: Client, lead: Lead) -> None:
    path = preview(lead)
    tag = signed_in.get(path).headers["ETag"]
    assert tag.startswith('"')
    part = signed_in.get(path, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert part.status_code == 206
    assert part.data == PDF[10:20]
    assert part.headers["Content-Range"] == "bytes 10-19/5000"
    end = signed_in.get(path, headers={"Range": "bytes=-7"})
    assert end.status_code == 206
    assert end.data == PDF[-7:]
    beyond = signed_in.get(path, headers={"Range": "bytes=5000-"})
    assert beyond.status_code == 416
    known = signed_in.get(path, headers={"If-None-Match": tag})
    assert known.status_code == 304


def test_the_newest_is_previewed_unless_another_is_named(signed_in: Client, lead: Lead) -> None:
    newer = samples.pdf("newer")
    SubmissionFactory.create(lead=lead, content=newer)
    assert signed_in.get(address(lead, "/preview")).data == newer
    assert signed_in.get(preview(lead, 1)).data == PDF
    assert signed_in.get(preview(lead, 2)).data == newer


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("filename", "content"),
    [("cv.docx", samples.docx()), ("cv.doc", samples.doc())],
)
def test_only_a_pdf_is_previewed(signed_in: Client, filename: str, content: bytes) -> None:
    lead = LeadFactory.create(submission__content=content, submission__filename=filename)
    answer = signed_in.get(preview(lead))
    assert answer.status_code == 404
    assert "Only a PDF can be previewed; download this resume instead" in words(answer.text)
    assert "Preview" not in words(signed_in.get(address(lead)).text)
    assert "previewed" not in kinds()


def test_a_missing_file_is_reported_in_the_frame(signed_in: Client, lead: Lead) -> None:
    store.delete(lead.newest.storage_key)
    paths = [preview(lead), address(lead, "/preview"), address(lead, "/resume")]
    for path in paths:
        answer = signed_in.get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
        assert "The file of this resume is missing from storage" in words(answer.text)
    framed = signed_in.get(preview(lead))
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]
    assert kinds() == []
    assert signed_in.get(address(lead)).status_code == 200


@pytest.mark.databases("sqlite")
def test_another_leads_resume_is_not_found_here(signed_in: Client, lead: Lead) -> None:
    other = LeadFactory.create()
    other_id = str(other.id)
    path = preview(other).replace(other_id, str(lead.id))
    assert signed_in.get(path).status_code == 404
    assert signed_in.get(path.replace("/preview", "/resume")).status_code == 404
    assert kinds() == []
