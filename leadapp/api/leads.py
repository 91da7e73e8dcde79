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
from ..http.readers import QuerySchema, StatusSchema
from ..http.writers import LeadSchema, PageSchema, SubmittedSchema
from ..leads import detail, search, status, submit
from ..models.leads import Lead

bp = Blueprint("leads", __name__, url_prefix="/leads")
Answer = dict[str, Any]
# Created once: creating a schema costs more than reading or writing with it.
QUERY, STATUS = QuerySchema(), StatusSchema()
SUBMITTED, PAGE, LEAD = SubmittedSchema(), PageSchema(), LeadSchema()
MARKED = LeadSchema(only=["id", "status", "reached_out_at"])


@bp.post("")
def submit_lead() -> tuple[Answer, int, dict[str, str]]:
    """Submit a lead; the same content with the same Idempotency-Key is stored only once."""
    if request.mimetype != "multipart/form-data":
        raise LeadappError(Code.FORM_EXPECTED)
    sending = submit.Sending(request.remote_addr or "", _idempotency_key(), one_content=True)
    submission, replayed = submit.submit(SubmitForm().details(), sending)
    headers = {"Location": url_for(".show_lead", lead_id=submission.lead_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return SUBMITTED.dump(submission), 201, headers


@bp.get("")
def list_leads() -> tuple[Answer, dict[str, str]]:
    """Return one page of leads."""
    page = search.search(QUERY.read(request.args.to_dict()))
    return PAGE.dump(page), {"Link": _links(page)}


@bp.get("/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> Response:
    """Return a lead with all its submissions."""
    return _versioned(LEAD, detail.show(lead_id, current_user))


@bp.patch("/<uuid:lead_id>")
def mark_reached_out(lead_id: uuid.UUID) -> Response:
    """Mark a lead as reached out; if it is already marked, return the first mark."""
    status.check_transition(STATUS.read_body()["status"])
    seen = None
    if request.if_match:
        # A proxy that compresses responses makes their ETags weak.
        seen = status.check_version(lead_id, request.if_match.contains_weak)
    lead = status.mark_reached_out(lead_id, current_user, seen).lead
    return _versioned(MARKED, lead)


@bp.get("/<uuid:lead_id>/resume")
@bp.get("/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download the newest resume of a lead, or the resume of one submission."""
    return downloads.resume(*detail.open_resume(lead_id, current_user, submission_id))


def _idempotency_key() -> str | None:
    """Return a digest of the Idempotency-Key, so that a stored key looks like the id of a form."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch("[!-~]{1,255}", key):
        raise InvalidInput({"Idempotency-Key": [Message(Code.IDEMPOTENCY_KEY_FORMAT)]})
    return hashlib.sha256(key.encode()).hexdigest()


def _versioned(schema: Schema, lead: Lead) -> Response:
    """Return a lead with its ETag, or 304 if the client already has this version."""
    response = make_response(schema.dump(lead))
    response.set_etag(lead.version)
    response.make_conditional(request)
    return response


def _links(page: search.Page) -> str:
    """Return the Link header with the URLs of the other pages (RFC 8288)."""
    here, last = page.query.page, max(page.pages, 1)
    pages = {"first": 1, "prev": min(here - 1, last), "next": here + 1, "last": last}
    asked: dict[str, Any] = request.args.to_dict()
    asked.pop("page", None)
    # Built once, because building the URL takes most of the time here.
    address = url_for(".list_leads", **asked, page="")
    return ", ".join(
        f'<{address}{number}>; rel="{rel}"' for rel, number in pages.items() if 1 <= number <= last
    )
