"""The attorneys' pages: the list of leads, a lead, a resume."""

import functools
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..errors import Conflict, InvalidInput
from ..formatting import when
from ..http import downloads
from ..http.forms import EraseForm, MarkForm
from ..http.readers import ArrivalsSchema, QuerySchema
from ..leads import detail, erasure, history, search, statistics, status
from ..leads.export import export_csv
from ..models.leads import Lead

bp = Blueprint("dashboard", __name__, url_prefix="/dashboard")
QUERY = QuerySchema()
# The lead that has waited longest comes first.
DEFAULTS = {"status": "PENDING", "sort_by": "pending_since", "sort_desc": "false", "size": "25"}


def _asked() -> tuple[search.Query, dict[str, Any]]:
    """Read the list query from the URL.

    Returns it and the raw parameters, which links and forms repeat.
    """
    state: dict[str, Any] = request.args.to_dict()
    return QUERY.read(DEFAULTS | state), state


def _link(state: dict[str, Any], **changes: Any) -> str:
    """Return the URL of the list with these changes; a change leads to the first page."""
    return f"{request.path}?{urlencode({**DEFAULTS, **state, 'page': 1, **changes})}"


@bp.get("/")
def list_leads() -> ResponseReturnValue:
    """Show one page of the leads, or redirect to the last page if this one is empty.

    The URL holds the whole state of the list.
    """
    query, state = _asked()

    page = search.search(query)
    # For example, the only lead on the last page was just marked.
    if query.page > 1 and not page.items:
        return redirect(_link(state, page=page.pages or 1))
    return render_template(
        "dashboard/list_leads.html",
        page=page,
        attention=search.attention(),
        figures=statistics.read_statistics(),
        query=query,
        state=state,
        link=functools.partial(_link, state),
    )


@bp.get("/arrivals")
def arrivals() -> dict[str, int]:
    """Return the number of submissions that have arrived since the list was shown."""
    return {"arrived": search.arrived_since(ArrivalsSchema().read(request.args)["since"])}


@bp.get("/export.csv")
def export() -> Response:
    """Download all pages of the list as a CSV file."""
    rows = export_csv(_asked()[0], current_user)
    return Response(
        stream_with_context(rows),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=leads.csv"},
    )


@bp.get("/leads/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> str:
    """Show a lead with its submissions, e-mails and history."""
    return _page(lead_id)


@bp.post("/leads/<uuid:lead_id>/reached-out")
def mark_reached_out(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a lead, or show the earlier mark, or a newer submission first."""
    query, state = _asked()
    form = MarkForm()
    following = None
    if form.then.data == "next":
        _, following = search.neighbours(detail.read(lead_id), query)
    try:
        lead, now = status.mark_reached_out(lead_id, current_user, form.seen())
    except Conflict as conflict:
        return _refused(lead_id, conflict)
    told: Any = f"{lead.full_name} is marked as reached out" if now else _already(lead)
    if now and form.then.data:
        # The next page does not show this lead, so the message itself offers Undo.
        told = (told, str(lead_id), lead.version)
    flash(told, "good" if now else "waiting")
    if form.then.data and not following:
        return redirect(url_for(".list_leads", **state), 303)
    return redirect(url_for(".show_lead", lead_id=following or lead_id, **state), 303)


@bp.post("/leads/<uuid:lead_id>/undo")
def undo(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Undo a mark."""
    state = _asked()[1]
    try:
        lead = status.undo(lead_id, current_user, request.form.get("version", ""))
    except Conflict as conflict:
        return _refused(lead_id, conflict)
    flash(f"{lead.full_name} is pending again", "good")
    return redirect(url_for(".show_lead", lead_id=lead_id, **state), 303)


@bp.route("/leads/<uuid:lead_id>/erase", methods=["GET", "POST"])
def erase(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Erase a lead after the attorney has typed its reference."""
    form, lead, state = EraseForm(), detail.read(lead_id), _asked()[1]
    if form.is_submitted():
        try:
            erasure.erase_by_reference(lead_id, current_user, form.reference.data)
        except InvalidInput as refusal:
            form.reference.errors = refusal.fields["reference"]
        else:
            flash(f"{lead.reference} was erased", "good")
            return redirect(url_for(".list_leads", **state), 303)
    page = render_template("dashboard/erase.html", form=form, lead=lead, state=state)
    return page, 422 if form.is_submitted() else 200


@bp.post("/leads/<uuid:lead_id>/letters/<uuid:letter_id>/send")
def send_letter(lead_id: uuid.UUID, letter_id: uuid.UUID) -> ResponseReturnValue:
    """Queue an e-mail to be sent again."""
    state = _asked()[1]
    detail.send_letter_again(lead_id, letter_id, current_user)
    flash("The e-mail will be sent again", "good")
    return redirect(url_for(".show_lead", lead_id=lead_id, **state), 303)


@bp.get("/leads/<uuid:lead_id>/resume")
@bp.get("/leads/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download a resume."""
    return downloads.resume(*detail.open_resume(lead_id, current_user, submission_id))


@bp.get("/leads/<uuid:lead_id>/preview")
@bp.get("/leads/<uuid:lead_id>/submissions/<uuid:submission_id>/preview")
def preview_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Show a PDF in the browser without downloading it."""
    opened = detail.open_resume(lead_id, current_user, submission_id, as_preview=True)
    return downloads.resume(*opened, as_attachment=False)


def _already(lead: Lead) -> str:
    name = lead.marker or "a former user"
    return f"Already marked by {name} at {when(lead.reached_out_at)}" if lead.reached_out_at else ""


def _refused(lead_id: uuid.UUID, conflict: Conflict) -> ResponseReturnValue:
    flash(conflict.message, "wrong")
    return _page(lead_id), 409


def _page(lead_id: uuid.UUID) -> str:
    query, state = _asked()
    lead = detail.show(lead_id, current_user)
    owed = detail.letters_of(lead.id)
    context = {
        "letters": owed,
        "history": history.list_history(lead, owed),
        "neighbours": search.neighbours(lead, query),
    }
    return render_template(
        "dashboard/show_lead.html", lead=lead, state=state, UNDO_FOR=status.UNDO_FOR, **context
    )
