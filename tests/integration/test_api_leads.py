"""Leads over JSON: submit, list, read, mark, download."""

import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.models.leads import Lead, LeadStatus
from leadapp.normalize import fold
from leadapp.resumes.store import store
from tests import samples
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import attached

LEADS = "/api/v1/leads"
SUBMITTED = {"id", "first_name", "last_name", "email", "status", "created_at"}
LISTED = SUBMITTED | {"reference", "resume_path", "updated_at", "reached_out_at"}
SENT = {
    "id",
    "first_name",
    "last_name",
    "filename",
    "content_type",
    "size",
    "sha256",
    "resume_path",
    "created_at",
}
ORDERS = (
    "created_at",
    "updated_at",
    "reached_out_at",
    "first_name",
    "last_name",
    "email",
    "status",
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
FOUND = ["jos", "JOSÉ", "alv", "Álvarez", "jose alv", "j.alvarez@EX", "ld-7k4m", "LD-7K4M-92QX"]
NOT_FOUND = ["varez", "%", "_", "example.com", "' OR 1=1 --", "josé\0x"]
BAD_QUERIES = (
    "page=0 page=-1 page=x page=1.5 page=9999999999 size=0 size=101 size=x "
    "status=DONE status=pending "
    f"sort_by=password sort_by=id sort_desc=maybe q={'x' * 101} colour=red"
).split()
NO_STATUS: list[str | bytes] = [
    '{"status": "DONE"}',
    '{"status": "__class__"}',
    '{"status": null}',
    '{"status": ["REACHED_OUT"]}',
    "{}",
]
NO_OBJECT: list[str | bytes] = ['{"status": ', b"\xff\xfe", "[" * 60_000, '["x"]', "null"]
BAD_BODIES: list[tuple[str | bytes, int, str]] = [
    ('{"status": "PENDING"}', 409, "status_transition"),
    ('{"status": "REACHED_OUT", "email": "x@example.com"}', 422, "field_unknown"),
]
BAD_BODIES += [(body, 422, "status_unknown") for body in NO_STATUS]
BAD_BODIES += [(body, 400, "json_unreadable") for body in NO_OBJECT]


@pytest.fixture
def api(client: Client, bearer: dict[str, str]) -> Client:
    """A client that sends the attorney's token with each request."""
    client.environ_base["HTTP_AUTHORIZATION"] = bearer["Authorization"]
    return client


def codes(answer: TestResponse) -> set[str]:
    """Return the codes of the single errors, or else the code of the problem."""
    problem = answer.get_json()
    if "errors" in problem:
        return {error["code"] for error in problem["errors"]}
    return {problem["code"]}


def listed(api: Client, **query: Any) -> list[dict[str, Any]]:
    answer = api.get(LEADS, query_string=query)
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def ids(leads: list[dict[str, Any]]) -> list[str]:
    return [lead["id"] for lead in leads]


def test_a_submission_is_answered_as_the_seed_says(api: Client) -> None:
    fields = {"first_name": "John", "last_name": "Doe", "email": "John.Doe@example.com"}
    resume = attached(samples.docx(), "cv.docx")
    answer = api.post(LEADS, data=dict(fields, resume=resume))
    made = answer.get_json()
    assert (answer.status_code, set(made)) == (201, SUBMITTED)
    assert made.items() >= fields.items()
    assert made["status"] == "PENDING"
    assert re.fullmatch(RFC_3339, made["created_at"])
    assert answer.location == f"{LEADS}/{uuid.UUID(made['id'])}"
    assert api.get(answer.location).get_json().items() >= made.items()


def test_a_list_comes_in_pages_of_10_or_of_1_to_100(api: Client) -> None:
    assert api.get(LEADS).get_json() == {
        "items": [],
        "total": 0,
        "page": 1,
        "size": 10,
        "pages": 0,
    }
    for size in (1, 100):
        assert api.get(f"{LEADS}?size={size}").get_json()["size"] == size
    made = {str(LeadFactory.create().id) for _ in range(5)}
    found = []
    for page, count in enumerate([2, 2, 1, 0], start=1):
        answer = api.get(f"{LEADS}?page={page}&size=2").get_json()
        items = answer.pop("items")
        assert len(items) == count
        expected = {"total": 5, "page": page, "size": 2, "pages": 3}
        assert answer == expected
        found += items
    assert set(ids(found)) == made
    assert all(set(lead) == LISTED for lead in found)


def three_pages(api: Client, **query: str) -> list[dict[str, Any]]:
    """Return the leads of the first three pages of two leads each."""
    found = []
    for page in (1, 2, 3):
        found += listed(api, page=page, size=2, **query)
    return found


@pytest.mark.parametrize("sort_by", ORDERS)
def test_every_order_goes_both_ways_and_ties_stay(api: Client, sort_by: str) -> None:
    for number, name in enumerate(["Ána", "ana", "Bo", "Élan", "bo", "Zoe"]):
        fields: dict[str, Any] = {
            "first_name": name,
            "last_name": f"{'CBa'[number // 2]} Ruiz",
            "created_at": NOON + timedelta(hours=number % 3),
            "updated_at": NOON + timedelta(days=number // 2),
        }
        if number > 2:
            fields["reached_out"] = True
            fields["reached_out_at"] = NOON + timedelta(days=number // 4)
        LeadFactory.create(**fields)
    rising = three_pages(api, sort_by=sort_by, sort_desc="false")
    falling = three_pages(api, sort_by=sort_by, sort_desc="true")
    other_name = {"first_name": "last_name", "last_name": "first_name"}
    columns = (sort_by, other_name.get(sort_by, "id"), "id")

    def rank(lead: dict[str, Any]) -> list[str]:
        return [fold(lead[column] or "") for column in columns]

    assert rising == sorted(rising, key=rank)
    assert len(set(ids(rising))) == 6
    assert falling == rising[::-1]


def test_a_list_may_hold_one_status_only(api: Client) -> None:
    waiting, done = LeadFactory.create(), LeadFactory.create(reached_out=True)
    assert ids(listed(api, status="PENDING")) == [str(waiting.id)]
    assert ids(listed(api, status="REACHED_OUT")) == [str(done.id)]
    assert api.get(f"{LEADS}?status=PENDING").get_json()["total"] == 1


@pytest.mark.parametrize("q", FOUND + NOT_FOUND)
def test_a_search_finds_how_names_emails_and_references_begin(api: Client, q: str) -> None:
    LeadFactory.create(
        first_name="Zoe", last_name="Smith", email="zoe@example.com", reference="LD-2222-2222"
    )
    LeadFactory.create(
        first_name="José",
        last_name="Álvarez",
        email="J.Alvarez@example.com",
        reference="LD-7K4M-92QX",
    )
    names = [lead["first_name"] for lead in listed(api, q=q)]
    assert names == ["José"] * (q in FOUND)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_list_takes_no_nonsense(api: Client, query: str) -> None:
    answer = api.get(f"{LEADS}?{query}")
    assert answer.status_code == 422
    pointers = [error["pointer"] for error in answer.get_json()["errors"]]
    assert pointers == [f"#/{query.partition('=')[0]}"]


def test_a_lead_is_read_with_all_it_sent(api: Client) -> None:
    lead = LeadFactory.create(created_at=NOON)
    newer = SubmissionFactory.create(
        lead=lead, created_at=NOON + timedelta(hours=1), content=samples.pdf("second")
    )
    read = api.get(f"{LEADS}/{lead.id}").get_json()
    assert set(read) == LISTED | {"submissions", "submission_count", "submissions_path"}
    assert (read["created_at"], read["reached_out_at"]) == ("2026-03-01T12:00:00.000Z", None)
    assert [set(sent) for sent in read["submissions"]] == [SENT, SENT]
    assert read["submissions"][0]["id"] == str(newer.id)
    for path in (read["resume_path"], read["submissions"][0]["resume_path"]):
        assert api.get(path).data == samples.pdf("second")
    assert api.get(read["submissions"][1]["resume_path"]).data == samples.pdf()


def test_marking_answers_three_fields_and_the_first_mark_stays(api: Client) -> None:
    lead = LeadFactory.create()
    path = f"{LEADS}/{lead.id}"
    first = api.patch(path, json={"status": "REACHED_OUT"})
    second = api.patch(path, json={"status": "REACHED_OUT"})
    assert first.status_code == 200
    assert second.status_code == 200
    assert second.get_json() == first.get_json()
    answer = first.get_json()
    assert re.fullmatch(RFC_3339, answer.pop("reached_out_at"))
    assert answer == {"id": str(lead.id), "status": "REACHED_OUT"}
    back = api.patch(path, json={"status": "PENDING"})
    assert (back.status_code, codes(back)) == (409, {"status_transition"})


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES)
def test_a_bad_change_changes_nothing(
    api: Client, body: str | bytes, status: int, code: str
) -> None:
    lead = LeadFactory.create()
    answer = api.patch(f"{LEADS}/{lead.id}", data=body, content_type="application/json")
    assert (answer.status_code, codes(answer)) == (status, {code})
    assert db.session.scalars(select(Lead.status)).one() == LeadStatus.PENDING


def test_a_resume_is_saved_and_no_browser_may_run_or_keep_it(api: Client) -> None:
    content = samples.docx("für Ana")
    lead = LeadFactory.create(submission__content=content, submission__filename="für Ana.docx")
    headers = {
        "Content-Type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "Content-Length": str(len(content)),
        "Content-Disposition": (
            "attachment; filename=\"fur Ana.docx\"; filename*=UTF-8''f%C3%BCr%20Ana.docx"
        ),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
        "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
    }
    for path in ("resume", f"submissions/{lead.newest.id}/resume"):
        answer = api.get(f"{LEADS}/{lead.id}/{path}")
        assert (answer.status_code, answer.data) == (200, content)
        assert dict(answer.headers).items() >= headers.items()


def test_a_lead_whose_file_is_gone_can_still_be_read(api: Client) -> None:
    lead = LeadFactory.create()
    store.delete(lead.newest.storage_key)
    answer = api.get(f"{LEADS}/{lead.id}/resume")
    assert (answer.status_code, codes(answer)) == (404, {"resume_gone"})
    assert api.get(f"{LEADS}/{lead.id}").get_json()["id"] == str(lead.id)


def test_an_unknown_id_is_told_and_nothing_is_found_under_anothers(api: Client) -> None:
    nobody, mine, theirs = uuid.uuid4(), LeadFactory.create(), SubmissionFactory.create()
    paths = {"1": "http_404", nobody: "lead_unknown", f"{nobody}/resume": "lead_unknown"}
    paths[f"{mine.id}/submissions/{theirs.id}/resume"] = "submission_unknown"
    for path, code in paths.items():
        answer = api.get(f"{LEADS}/{path}")
        assert (answer.status_code, codes(answer)) == (404, {code})
    assert api.patch(f"{LEADS}/{nobody}", json={"status": "REACHED_OUT"}).status_code == 404
