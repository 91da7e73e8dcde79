"""Leads over JSON: anybody submits one, attorneys list, read and mark them."""

import hashlib
import re
import uuid
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for
from flask_login import current_user
from marshmallow import Schema

from .. import downloads, intake, triage
from ..errors import InvalidInput, Message, WrongMediaType
from ..forms import SubmitForm
from ..models import Lead
from ..schemas.readers import QuerySchema, StatusSchema
from ..schemas.writers import LeadSchema, PageSchema, SubmittedSchema

bp = Blueprint("leads", __name__, url_prefix="/leads")
Answer = dict[str, Any]
# Made once: making a schema costs more than reading or writing with it.
QUERY, STATUS = QuerySchema(), StatusSchema()
SUBMITTED, PAGE, LEAD = SubmittedSchema(), PageSchema(), LeadSchema()
MARKED = LeadSchema(only=["id", "status", "reached_out_at"])


@bp.post("")
def submit_lead() -> tuple[Answer, int, dict[str, str]]:
    """Take a submission in; the same Idempotency-Key and content is taken in once."""
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType("form_expected")
    sending = intake.Sending(request.remote_addr or "", _idempotency_key(), one_content=True)
    submission, replayed = intake.submit(SubmitForm().details(), sending)
    headers = {"Location": url_for(".show_lead", lead_id=submission.lead_id)}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return SUBMITTED.dump(submission), 201, headers


@bp.get("")
def list_leads() -> tuple[Answer, dict[str, str]]:
    """List one page of the leads."""
    page = triage.search(QUERY.read(request.args.to_dict()))
    return PAGE.dump(page), {"Link": _links(page)}


@bp.get("/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> Response:
    """Read a lead with all it sent."""
    return _versioned(LEAD, triage.show(lead_id, current_user))


@bp.patch("/<uuid:lead_id>")
def mark_reached_out(lead_id: uuid.UUID) -> Response:
    """Mark a lead as reached out; once marked, it answers the first time."""
    triage.check_transition(STATUS.read_body()["status"])
    seen = None
    if request.if_match:  # a proxy that compresses makes an ETag weak
        seen = triage.seen_as(lead_id, request.if_match.contains_weak)
    lead = triage.mark_reached_out(lead_id, current_user, seen).lead
    return _versioned(MARKED, lead)


@bp.get("/<uuid:lead_id>/resume")
@bp.get("/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download a resume, the newest unless a submission is named."""
    return downloads.resume(*triage.open_resume(lead_id, current_user, submission_id))


def _idempotency_key() -> str | None:
    """Read the Idempotency-Key; stored as a digest, so that no key of a client is told apart from a form's."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch("[!-~]{1,255}", key):
        raise InvalidInput({"Idempotency-Key": [Message("idempotency_key_format")]})
    return hashlib.sha256(key.encode()).hexdigest()


def _versioned(schema: Schema, lead: Lead) -> Response:
    """Answer with a lead and its ETag, or 304 to a client that has read this version."""
    response = make_response(schema.dump(lead))
    response.set_etag(lead.version)
    response.make_conditional(request)
    return response


def _links(page: triage.Page) -> str:
    """Write where the other pages are (RFC 8288)."""
    here, last = page.query.page, max(page.pages, 1)
    pages = {"first": 1, "prev": min(here - 1, last), "next": here + 1, "last": last}
    asked: dict[str, Any] = request.args.to_dict()
    asked.pop("page", None)
    address = url_for(".list_leads", **asked, page="")  # built once, as what is longest about it
    return ", ".join(
        f'<{address}{number}>; rel="{rel}"' for rel, number in pages.items() if 1 <= number <= last
    )
