"""The pages anybody may open: the form, and what is said after sending."""

from dataclasses import asdict

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from .. import accent, intake, tokens
from ..config import current
from ..errors import Message
from ..extensions import csrf
from ..forms import SubmitForm

bp = Blueprint("public", __name__)


@bp.route("/", methods=["GET", "POST"])
@csrf.exempt
def submit_lead() -> ResponseReturnValue:
    """Take a submission in, or bring the form back with everything that was typed, a good file too."""
    form = SubmitForm()
    if not form.is_submitted():
        return _page(form, 200)
    valid, sending = form.validate(), form.sending
    if not valid or sending is None:
        return _page(form, 422 if sending else 400)
    details = form.details()
    submission, _ = intake.submit(details, once=f"{sending}.{details.digest()}")
    return redirect(url_for(".submitted", token=tokens.submitted(submission.id)), 303)


@bp.get("/submitted/<token>")
def submitted(token: str) -> str:
    """Say what was received; the page can be reloaded and bookmarked."""
    return render_template("public/submitted.html", submission=intake.receipt(tokens.read_submitted(token)))


@bp.get("/theme.css")
def theme() -> Response:
    """Give the firm's accent, which a strict policy allows in a sheet only."""
    colour = current["ACCENT_COLOR"]
    sheet = ":root{{--accent:{}}}@media screen and (prefers-color-scheme:dark){{:root{{--accent:{}}}}}"
    own = sheet.format(colour, accent.on_dark(colour)) if colour else ""
    return Response(own, mimetype="text/css", headers={"Cache-Control": "public, max-age=3600"})


def _page(form: SubmitForm, status: int) -> Response:
    """Show the form under a new one-time id."""
    form_id = tokens.new_form()
    resume = intake.keep(form.good_resume) if form.good_resume else None
    response = make_response(
        render_template(
            "public/submit_lead.html",
            form=form,
            form_id=form_id,
            stale=Message("form_stale") if status == 400 else None,
            resume=resume,
            kept=resume and tokens.keep_upload(asdict(resume), form_id),
        ),
        status,
    )
    response.headers["Cache-Control"] = "no-cache"  # Back shows what was typed
    return response
