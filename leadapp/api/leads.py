"""Leads in the JSON API: anyone can submit one; attorneys list, read and mark them."""

import hashlib
import re
import uuid
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for
from flask_login import current_user
from marshmallow import Schema

from ..codes import Code
from ..errors import InvalidInput, LeadappError, Message
from ..http import downloads
from ..http.forms import SubmitForm
from ..http.marks import public
from ..http.readers import PagingSchema, QuerySchema, StatusSchema
from ..http.writers import (
    LeadSchema,
    MarkedLeadSchema,
    PageSchema,
    SubmissionPageSchema,
    SubmittedSchema,
)
from ..leads import detail, search, status, submit
from ..models.leads import Lead
from ..resumes.formats import KINDS
from .contract import (
    JSON,
    MULTIPART,
    accepts,
    accepts_headers,
    accepts_query,
    answers,
    fails,
    refuses,
)
from .headers import IDEMPOTENCY_KEY
from .paging import links, page_numbers, search_page_numbers
from .schemas import of_form

bp = Blueprint("leads", __name__, url_prefix="/leads")
Json = dict[str, Any]
# Created once: creating a schema costs more than reading or writing with it.
QUERY = QuerySchema()
PAGING = PagingSchema()
STATUS = StatusSchema()
SUBMITTED = SubmittedSchema()
PAGE = PageSchema(exclude=["total_is_exact"])
SEARCHED = PageSchema()
LEAD = LeadSchema()
SUBMISSION_PAGE = SubmissionPageSchema()
MARKED = MarkedLeadSchema()

RESUME_REFUSALS = [
    Code.RESUME_MISSING,
    Code.RESUME_TYPE,
    Code.RESUME_TOO_LARGE,
    Code.RESUME_EMPTY,
    Code.RESUME_INCOMPLETE,
    Code.RESUME_UNCHECKED,
    Code.RESUME_MISNAMED,
    Code.RESUME_IS_RTF,
    Code.RESUME_IS_HTML,
    Code.RESUME_IS_WORD_XML,
    Code.RESUME_IS_TEMPLATE,
    Code.RESUME_IS_MACRO,
    Code.RESUME_IS_OFFICE,
    Code.RESUME_IS_ODT,
    Code.RESUME_IS_PAGES,
    Code.RESUME_IS_HEIC,
    Code.RESUME_IS_IMAGE,
    Code.RESUME_IS_ARCHIVE,
    Code.RESUME_IS_LINK,
]


@bp.post("")
@public
@accepts(MULTIPART, of_form(SubmitForm))
@accepts_headers("Idempotency-Key")
@answers(
    201,
    SubmittedSchema,
    "The submission is stored, and its e-mails are queued.",
    headers=["Location", "Idempotency-Replayed"],
)
@fails(Code.HTTP_413, Code.IDEMPOTENCY_KEY_REUSED, Code.HTTP_429, Code.STORAGE_UNAVAILABLE)
@refuses(
    {
        "resume": RESUME_REFUSALS,
        "Idempotency-Key": [Code.IDEMPOTENCY_KEY_FORMAT],
    }
)
def submit_lead() -> tuple[Json, int, dict[str, str]]:
    """Submit a lead; the same content with the same Idempotency-Key is stored only once."""
    if request.mimetype != MULTIPART:
        raise LeadappError(Code.FORM_EXPECTED)
    sending = submit.Sending(request.remote_addr or "", _idempotency_key(), one_content=True)
    submission, replayed = submit.submit(SubmitForm().details(), sending)
    headers = {"Location": url_for(".show_lead", lead_id=submission.lead_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return SUBMITTED.dump(submission), 201, headers


@bp.get("")
@accepts_query(QuerySchema)
@answers(
    200,
    PageSchema,
    "One page of leads, with the total number of leads and pages.",
    headers=["Link"],
)
@refuses(
    {
        "status": [Code.STATUS_UNKNOWN],
        "q": [Code.QUERY_TOO_LONG],
        "sort_by": [Code.SORT_UNKNOWN],
        "sort_desc": [Code.SORT_DESC_UNKNOWN],
        "page": [Code.PAGE_NUMBER],
        "size": [Code.PAGE_SIZE],
        "*": [Code.FIELD_UNKNOWN],
    }
)
def list_leads() -> tuple[Json, dict[str, str]]:
    """Return one page of leads."""
    page = search.search(QUERY.read(request.args.to_dict()))
    schema = SEARCHED if page.query.q else PAGE
    return schema.dump(page), {"Link": links(search_page_numbers(page))}


@bp.get("/<uuid:lead_id>")
@accepts_headers("If-None-Match")
@answers(
    200,
    LeadSchema,
    "The lead, and its 20 latest submissions, newest first.",
    headers=["ETag"],
)
@answers(304, None, "Your version is current.", headers=["ETag"])
@fails(Code.LEAD_UNKNOWN, Code.HTTP_404)
def show_lead(lead_id: uuid.UUID) -> Response:
    """Return a lead with its latest submissions."""
    return _versioned(LEAD, detail.show(lead_id, current_user))


@bp.get("/<uuid:lead_id>/submissions")
@accepts_query(PagingSchema)
@answers(
    200,
    SubmissionPageSchema,
    "One page of submissions, newest first, with the total number of submissions and pages.",
    headers=["Link"],
)
@fails(Code.LEAD_UNKNOWN, Code.HTTP_404)
@refuses(
    {
        "page": [Code.PAGE_NUMBER],
        "size": [Code.PAGE_SIZE],
        "*": [Code.FIELD_UNKNOWN],
    }
)
def list_submissions(lead_id: uuid.UUID) -> tuple[Json, dict[str, str]]:
    """Return one page of a lead's submissions, by default 20."""
    paging = PAGING.read(request.args.to_dict())
    page = detail.list_submissions(lead_id, current_user, **paging)
    return SUBMISSION_PAGE.dump(page), {"Link": links(page_numbers(page.page, page.pages))}


@bp.patch("/<uuid:lead_id>")
@accepts(JSON, StatusSchema)
@accepts_headers("If-Match")
@answers(
    200,
    MarkedLeadSchema,
    "The lead is marked. `reached_out_at` is the time of the first mark.",
    headers=["ETag"],
)
@fails(
    Code.LEAD_UNKNOWN,
    Code.HTTP_404,
    Code.STATUS_TRANSITION,
    Code.SUBMISSION_NEWER,
    Code.VERSION_STALE,
)
@refuses({"status": [Code.STATUS_UNKNOWN], "*": [Code.FIELD_UNKNOWN]})
def mark_reached_out(lead_id: uuid.UUID) -> Response:
    """Mark a lead as reached out; if it is already marked, return the first mark."""
    new_status = STATUS.read_body()["status"]
    lead = status.change_status(lead_id, current_user, new_status, _expected_versions())
    return _versioned(MARKED, lead)


@bp.get("/<uuid:lead_id>/resume")
@accepts_headers("If-None-Match", "Range")
@answers(200, KINDS, "The file.", headers=["ETag"])
@answers(206, KINDS, "The part of the file that `Range` requests.", headers=["ETag"])
@answers(304, None, "Your version is current.", headers=["ETag"])
@fails(Code.LEAD_UNKNOWN, Code.RESUME_GONE, Code.HTTP_404, Code.HTTP_416, Code.STORAGE_UNREACHABLE)
def open_resume(lead_id: uuid.UUID) -> Response:
    """Download the newest resume of a lead."""
    return downloads.resume(*detail.open_resume(lead_id, current_user))


@bp.get("/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
@accepts_headers("If-None-Match", "Range")
@answers(200, KINDS, "The file.", headers=["ETag"])
@answers(206, KINDS, "The part of the file that `Range` requests.", headers=["ETag"])
@answers(304, None, "Your version is current.", headers=["ETag"])
@fails(
    Code.SUBMISSION_UNKNOWN,
    Code.RESUME_GONE,
    Code.HTTP_404,
    Code.HTTP_416,
    Code.STORAGE_UNREACHABLE,
)
def open_submission_resume(lead_id: uuid.UUID, submission_id: uuid.UUID) -> Response:
    """Download the resume of one submission."""
    return downloads.resume(*detail.open_resume(lead_id, current_user, submission_id))


def _idempotency_key() -> str | None:
    """Return a digest of the Idempotency-Key, so that a stored key looks like the id of a form."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch(IDEMPOTENCY_KEY, key):
        raise InvalidInput({"Idempotency-Key": [Message(Code.IDEMPOTENCY_KEY_FORMAT)]})
    return hashlib.sha256(key.encode()).hexdigest()


def _expected_versions() -> set[str] | None:
    """Return the versions in If-Match, or None if the client accepts any."""
    if not request.if_match or request.if_match.star_tag:
        return None
    # A proxy that compresses responses makes their ETags weak.
    return request.if_match.as_set(include_weak=True)


def _versioned(schema: Schema, lead: Lead) -> Response:
    """Return a lead with its ETag, or 304 if the client already has this version."""
    response = make_response(schema.dump(lead))
    response.set_etag(lead.version)
    response.make_conditional(request)
    return response
