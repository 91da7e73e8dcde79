"""The public pages: the form, the page after it is sent, and the receipt."""

from dataclasses import asdict
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from .. import accent, tokens
from ..codes import Code
from ..config import settings
from ..errors import InvalidInput, Message
from ..extensions import csrf
from ..formatting import filesize
from ..http.forms import SubmitForm
from ..http.marks import public
from ..leads import erasure, submit
from . import script

bp = Blueprint("public", __name__)
# The failures that the form's script finds before anything is sent.
CHECKED_BY_SCRIPT = (
    Code.RESUME_MISSING,
    Code.RESUME_TYPE,
    Code.RESUME_TOO_LARGE,
    Code.RESUME_EMPTY,
    Code.RESUME_CHANGED,
    Code.FIRST_NAME_MISSING,
    Code.LAST_NAME_MISSING,
    Code.EMAIL_MISSING,
    Code.EMAIL_FORMAT,
)


@bp.route("/", methods=["GET", "POST"])
@public
@csrf.exempt
def submit_lead() -> ResponseReturnValue:
    """Store a submission, or show the form again.

    The form keeps everything that was typed, and the resume if it was acceptable.
    """
    form = SubmitForm()
    if not form.is_submitted():
        return _page(form, 200)
    # Validation comes first, because the form keeps a resume only after its inspection.
    details = _details(form)
    if form.sending is None:
        return _page(form, 400, Message(Code.FORM_STALE))
    if form.looks_automatic:
        return _page(form, 422, Message(Code.HONEYPOT_FILLED))
    if details is None:
        return _page(form, 422)
    sending = submit.Sending(request.remote_addr or "", form.sending)
    submission, _ = submit.submit(details, sending)
    token = tokens.sign_page("submitted", submission.id)
    return redirect(url_for(".submitted", token=token), 303)


@bp.get("/submitted/<token>")
@public
def submitted(token: str) -> str:
    """Confirm the received submission, on a page that can be reloaded and bookmarked."""
    submission = submit.read_receipt(tokens.verify_page("submitted", token))
    return render_template("public/submitted.html", submission=submission)


@bp.route("/receipt/<token>", methods=["GET", "POST"])
@public
@csrf.exempt
def receipt(token: str) -> ResponseReturnValue:
    """Show the status of a submission to a person with the link in the confirmation e-mail.

    Allows this person to request erasure, in two steps.
    """
    submission = submit.read_receipt(tokens.verify_page("receipt", token))
    if request.method == "POST":
        erasure.request_erasure(submission)
        return redirect(url_for(".receipt", token=token), 303)
    return render_template(
        "public/receipt.html",
        submission=submission,
        asked=submission.lead.erasure_asked_at is not None,
        asking=request.args.get("step") == "erase",
        token=token,
    )


@bp.get("/theme.css")
@public
def theme() -> Response:
    """Return the stylesheet with the firm's accent color.

    The Content-Security-Policy allows styles only from a stylesheet, so pages cannot set the color.
    """
    sheet = Path(str(current_app.static_folder), "leadapp.css").read_text()
    color = settings.ACCENT_COLOR
    if color:
        dark = accent.on_dark(color)
        sheet += f":root{{--accent:{color}}}"
        sheet += f"@media screen and (prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}"
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(sheet, mimetype="text/css", headers=headers)


def _details(form: SubmitForm) -> submit.Details | None:
    """Return the cleaned fields, or None if the form shows errors beside its fields."""
    try:
        return form.details()
    except InvalidInput:
        return None


def _page(form: SubmitForm, status: int, notice: Message | None = None) -> Response:
    """Show the form with a new one-time id."""
    form_id = tokens.sign_form_id()
    resume = form.good_resume
    kept = None
    if resume:
        resume = submit.keep_resume(resume)
        kept = tokens.sign_upload(asdict(resume), form_id)
    page = render_template(
        "public/submit_lead.html",
        form=form,
        form_id=form_id,
        notice=notice,
        again=form.looks_automatic or form.again.data,
        WORDS=_script_words(),
        resume=resume,
        kept=kept,
    )
    # The Back button keeps the typed text.
    return make_response(page, status, {"Cache-Control": "no-cache"})


def _script_words() -> dict[str, str]:
    """Return the messages that the form's script shows, keyed by code."""
    facts = {
        "limit": filesize(settings.MAX_FILE_SIZE),
        "contact": "",
        "status": "{status}",  # the script fills in the HTTP status
    }
    if settings.CONTACT_TEXT:
        facts["contact"] = f". {settings.CONTACT_TEXT}"
    words = {code.key: code.words for code in CHECKED_BY_SCRIPT}
    words.update(script.WORDS)
    return {key: text.format_map(facts) for key, text in words.items()}
