"""Leads over JSON: anybody submits one, attorneys list, read and mark them."""

import uuid
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_login import current_user

from .. import downloads, intake, triage
from ..errors import WrongMediaType
from ..forms import SubmitForm
from ..schemas.readers import QuerySchema, StatusSchema
from ..schemas.writers import LeadSchema, PageSchema, SubmittedSchema

bp = Blueprint("leads", __name__, url_prefix="/leads")
Answer = dict[str, Any]


@bp.post("")
def submit_lead() -> tuple[Answer, int, dict[str, str]]:
    """Take a submission in."""
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType("form_expected")
    submission = intake.submit(SubmitForm().details())
    location = url_for(".show_lead", lead_id=submission.lead_id)
    return SubmittedSchema().dump(submission), 201, {"Location": location}


@bp.get("")
def list_leads() -> Answer:
    """List one page of the leads."""
    return PageSchema().dump(triage.search(QuerySchema().read(request.args.to_dict())))


@bp.get("/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> Answer:
    """Read a lead with all it sent."""
    return LeadSchema().dump(triage.show(lead_id, current_user))


@bp.patch("/<uuid:lead_id>")
def mark_reached_out(lead_id: uuid.UUID) -> Answer:
    """Mark a lead as reached out; once marked, it answers the first time."""
    triage.check_transition(StatusSchema().read_body()["status"])
    lead = triage.mark_reached_out(lead_id, current_user).lead
    return LeadSchema(only=["id", "status", "reached_out_at"]).dump(lead)


@bp.get("/<uuid:lead_id>/resume")
@bp.get("/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download a resume, the newest unless a submission is named."""
    return downloads.attachment(*triage.open_resume(lead_id, current_user, submission_id))
