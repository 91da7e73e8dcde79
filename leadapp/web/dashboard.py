"""The attorneys' pages: the list of leads, a lead, a resume."""

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
    session,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..errors import Conflict, InvalidInput
from ..formatting import when
from ..http import downloads
from ..http.forms import EraseForm, MarkForm
from ..http.marks import polled
from ..http.readers import ArrivalsSchema, QuerySchema
from ..leads import attention, detail, erasure, search, status
from ..leads.export import export_csv
from ..leads.overview import read_overview
from ..models.leads import Lead

bp = Blueprint("dashboard", __name__, url_prefix="/dashboard")
QUERY = QuerySchema()
# The lead that has waited longest comes first.
DEFAULTS = {"status": "PENDING", "sort_by": "pending_since", "sort_desc": "false", "size": "25"}
# The session is a cookie, so it holds only the last marks until a page offers to undo them.
MARKS_MAX = 5


def _asked() -> tuple[search.Query, dict[str, Any]]:
    """Read the list query from the URL.

    Returns it and the raw parameters, which links and forms repeat.
    """
    state: dict[str, Any] = request.args.to_dict()
    return QUERY.read(DEFAULTS | state), state


def _link(**changes: Any) -> str:
    """Return the URL of this list with some changes; a change leads to the first page."""
    state: dict[str, Any] = dict(DEFAULTS)
    state.update(request.args.to_dict())
    state["page"] = 1
    state.update(changes)
    return f"{request.path}?{urlencode(state)}"


@bp.get("/")
def list_leads() -> ResponseReturnValue:
    """Show one page of the leads, or redirect to the last page if this one is empty.

    The URL holds the whole state of the list.
    """
    query, state = _asked()
    overview = read_overview(query)
    # For example, the only lead on the last page was just marked.
    if query.page > 1 and not overview.page.items:
        return redirect(_link(page=overview.page.pages or 1))
    return render_template(
        "dashboard/list_leads.html",
        overview=overview,
        query=query,
        state=state,
        link=_link,
        marked=session.pop("marked", []),
    )


@bp.get("/arrivals")
@polled
def arrivals() -> dict[str, int]:
    """Return the number of submissions that have arrived since the list was shown."""
    since = ArrivalsSchema().read(request.args)["since"]
    return {"arrived": attention.arrived_since(since)}


@bp.get("/export.csv")
def export() -> Response:
    """Download all pages of the list as a CSV file."""
    query, _ = _asked()
    rows = export_csv(query, current_user)
    return Response(
        stream_with_context(rows),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=leads.csv"},
    )


@bp.get("/leads/<uuid:lead_id>")
def show_lead(lead_id: uuid.UUID) -> str:
    """Show a lead with its latest submissions, e-mails and history."""
    return _page(lead_id)


@bp.post("/leads/<uuid:lead_id>/reached-out")
def mark_reached_out(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a lead as reached out, and open the page that the form names.

    If a newer submission has arrived, shows the lead again instead.
    """
    query, state = _asked()
    form = MarkForm()
    listed_in = query if form.then.data == "next" else None
    try:
        marked = status.mark_reached_out(lead_id, current_user, form.seen(), listed_in)
    except Conflict as conflict:
        return _refused(lead_id, conflict)
    _confirm_mark(marked, offer_undo=bool(form.then.data))
    if not form.then.data:
        return _to_lead(lead_id, state)
    if marked.following:
        return _to_lead(marked.following, state)
    return _to_list(state)


@bp.post("/leads/<uuid:lead_id>/undo")
def undo(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Undo a mark."""
    _, state = _asked()
    try:
        lead = status.undo(lead_id, current_user, request.form.get("version", ""))
    except Conflict as conflict:
        return _refused(lead_id, conflict)
    flash(f"{lead.full_name} is pending again", "good")
    return _to_lead(lead_id, state)


@bp.route("/leads/<uuid:lead_id>/erase", methods=["GET", "POST"])
def erase(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Erase a lead after the attorney has typed its reference."""
    _, state = _asked()
    form = EraseForm()
    lead = detail.read(lead_id)
    if form.validate_on_submit():
        try:
            erasure.erase_by_reference(lead_id, current_user, form.reference.data or "")
        except InvalidInput as refusal:
            form.reference.errors = refusal.fields["reference"]
        else:
            flash(f"{lead.reference} was erased", "good")
            return _to_list(state)
    page = render_template("dashboard/erase.html", form=form, lead=lead, state=state)
    return page, 422 if form.errors else 200


@bp.post("/leads/<uuid:lead_id>/letters/<uuid:letter_id>/send")
def send_letter(lead_id: uuid.UUID, letter_id: uuid.UUID) -> ResponseReturnValue:
    """Queue an e-mail to be sent again."""
    _, state = _asked()
    detail.send_letter_again(lead_id, letter_id, current_user)
    flash("The e-mail will be sent again", "good")
    return _to_lead(lead_id, state)


@bp.get("/leads/<uuid:lead_id>/resume")
@bp.get("/leads/<uuid:lead_id>/submissions/<uuid:submission_id>/resume")
def open_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Download a resume."""
    submission, file = detail.open_resume(lead_id, current_user, submission_id)
    return downloads.resume(submission, file)


@bp.get("/leads/<uuid:lead_id>/preview")
@bp.get("/leads/<uuid:lead_id>/submissions/<uuid:submission_id>/preview")
def preview_resume(lead_id: uuid.UUID, submission_id: uuid.UUID | None = None) -> Response:
    """Show a PDF in the browser without downloading it."""
    submission, file = detail.open_resume(lead_id, current_user, submission_id, as_preview=True)
    return downloads.resume(submission, file, as_attachment=False)


def _to_list(state: dict[str, Any]) -> ResponseReturnValue:
    return redirect(url_for(".list_leads", **state), 303)


def _to_lead(lead_id: uuid.UUID, state: dict[str, Any]) -> ResponseReturnValue:
    return redirect(url_for(".show_lead", lead_id=lead_id, **state), 303)


def _confirm_mark(marked: status.Marked, offer_undo: bool) -> None:
    """Leave a message for the next page.

    If the next page does not show the marked lead, the message offers Undo. Undo needs the id and
    the version of the lead, so the session passes them to that page.
    """
    lead = marked.lead
    if not marked.is_new:
        flash(_already_marked(lead), "waiting")
    elif offer_undo:
        mark = {"lead_id": str(lead.id), "version": lead.version, "name": lead.full_name}
        marks = session.get("marked", [])
        marks.append(mark)
        session["marked"] = marks[-MARKS_MAX:]
    else:
        flash(f"{lead.full_name} is marked as reached out", "good")


def _already_marked(lead: Lead) -> str:
    words = f"Already marked by {lead.marker or 'a former user'}"
    if lead.reached_out_at:
        words += f" at {when(lead.reached_out_at)}"
    return words


def _refused(lead_id: uuid.UUID, conflict: Conflict) -> ResponseReturnValue:
    flash(conflict.message, "wrong")
    return _page(lead_id), 409


def _page(lead_id: uuid.UUID) -> str:
    query, state = _asked()
    page = detail.page(lead_id, current_user, query)
    return render_template(
        "dashboard/show_lead.html",
        lead=page.lead,
        letters=page.letters,
        earlier_unsent=page.earlier_unsent,
        history=page.history,
        neighbours=page.neighbours,
        state=state,
        marked=session.pop("marked", []),
        UNDO_FOR=status.UNDO_FOR,
    )
