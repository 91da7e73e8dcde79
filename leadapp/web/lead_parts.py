"""The pages with a lead's whole history and with all its submissions."""

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..http.readers import LeadPartSchema, QuerySchema
from ..leads import detail

bp = Blueprint("lead_parts", __name__, url_prefix="/dashboard/leads/<uuid:lead_id>")
PART = LeadPartSchema()
QUERY = QuerySchema()


def _asked() -> tuple[int, dict[str, Any]]:
    """Read the number of the page, and the query of the list from which the lead was opened."""
    asked = PART.read(request.args)
    state: dict[str, Any] = dict(parse_qsl(asked.get("back", ""), keep_blank_values=True))
    QUERY.read(state)  # rejects a query that no list has
    return asked.get("page", 1), state


def _to_page(number: int) -> ResponseReturnValue:
    query = request.args.to_dict()
    query["page"] = str(number)
    return redirect(f"{request.path}?{urlencode(query)}")


@bp.get("/history")
def show_history(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Show one page of a lead's history, or redirect to the first page if this one is empty."""
    number, state = _asked()
    page = detail.history_page(lead_id, current_user, number)
    if number > 1 and not page.history.lines:
        return _to_page(1)
    return render_template(
        "dashboard/show_history.html", lead=page.lead, part=page.history, state=state
    )


@bp.get("/submissions")
def show_submissions(lead_id: uuid.UUID) -> ResponseReturnValue:
    """Show one page of a lead's submissions, or redirect to the last page if this one is empty."""
    number, state = _asked()
    page = detail.submissions_page(lead_id, current_user, number)
    if number > 1 and not page.submissions.items:
        return _to_page(page.submissions.pages or 1)
    return render_template(
        "dashboard/show_submissions.html",
        lead=page.lead,
        part=page.submissions,
        letters=page.letters,
        state=state,
    )
