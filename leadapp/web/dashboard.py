"""What attorneys see: the list of leads, a lead, a resume."""

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from .. import downloads, letters, triage
from ..errors import Conflict
from ..forms import MarkForm
from ..models import Lead
from ..schemas.readers import QuerySchema
from ..wording import when

bp = Blueprint("dashboard", __name__, url_prefix="/dashboard")
# Whoever waits longest comes first.
DEFAULTS = {"status": "PENDING", "sort_by": "pending_since", "sort_desc": "false", "size": "25"}


@bp.get("/")
def list_leads() -> str:
    """Show one page of the leads; all of its state is in the address."""
    state = DEFAULTS | request.args.to_dict()
    page, mail = triage.search(QuerySchema().read(state)), letters.standing()

    def link(**changes: Any) -> str:
        return url_for(".list_leads", **(state | {"page": 1} | changes))

    return render_template("dashboard/list_leads.html", page=page, query=page.query, link=link, mail=mail)


@bp.get("/leads/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> str:
    """Show a lead, all it sent, its letters and its history."""
    return _page(triage.show(lead_id, current_user))


@bp.post("/leads/<uuid:lead_id>/reached-out")
def mark_reached_out(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a lead, or say who already has; a newer submission is shown first."""
    try:
        lead, now = triage.mark_reached_out(lead_id, current_user, MarkForm().seen())
    except Conflict as conflict:
        flash(conflict.message, "wrong")
        return _page(triage.show(lead_id, current_user)), 409
    flash(f"{lead.full_name} is marked as reached out" if now else _already(lead), "good" if now else "waiting")
    return redirect(url_for(".show_lead", lead_id=lead_id), 303)


@bp.post("/leads/<uuid:lead_id>/letters/<uuid:letter_id>/send")
def send_letter(lead_id: uuid.UUID, letter_id: uuid.UUID) -> ResponseReturnValue:
    """Send a letter once more."""
    triage.send_letter_again(lead_id, letter_id, current_user)
    flash("The letter is on its way again", "good")
    return redirect(url_for(".show_lead", lead_id=lead_id), 303)


@bp.get("/leads/<uuid:lead_id>/resume")
@bp.get("/leads/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download a resume."""
    return downloads.attachment(*triage.open_resume(lead_id, current_user, submission_id))


def _already(lead: Lead) -> str:
    name = lead.marked_by.username if lead.marked_by else "somebody whose account is gone"
    return f"Already marked by {name} at {when(lead.reached_out_at)}" if lead.reached_out_at else ""


def _page(lead: Lead) -> str:
    owed, events = triage.letters_of(lead.id), triage.history(lead.id)
    return render_template("dashboard/show_lead.html", lead=lead, letters=owed, events=events)
