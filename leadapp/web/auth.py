"""Signing in and out."""

import re

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from .. import accounts
from ..errors import Forbidden, NotSignedIn
from ..forms import LoginForm

bp = Blueprint("auth", __name__, url_prefix="/auth")


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Sign an attorney in with a session of its own, and go where they wanted."""
    form = LoginForm(next=request.args.get("next"))
    if not form.is_submitted():
        return _page(form, 200)
    if not form.validate():
        return _page(form, 422)
    try:
        user = accounts.authenticate(form.username.data, form.password.data or "")
    except (NotSignedIn, Forbidden) as refusal:
        form.username.errors = [refusal.message]
        return _page(form, 422)
    _end_session()
    accounts.sign_in(user)
    login_user(user)
    session.permanent = True  # the idle limit counts from the last request, not from the sign-in
    return redirect(_own_path(form.next.data) or url_for("dashboard.list_leads"), 303)


@bp.post("/logout")
def logout() -> Response:
    """End the session for good, a copied cookie included."""
    _end_session()
    return redirect(url_for(".login"), 303)  # type: ignore[return-value]  # Werkzeug's own type


def _end_session() -> None:
    if current_user.is_authenticated:
        accounts.sign_out(current_user.login_id)
    logout_user()
    session.clear()


def _own_path(wanted: str | None) -> str | None:
    """Allow a path of this site only: no host, no scheme, and nothing a browser reads as one."""
    return wanted if re.fullmatch(r"/(?!/)[^\\\s\x00-\x1f]*", wanted or "") else None


def _page(form: LoginForm, status: int) -> Response:
    return make_response(render_template("auth/login.html", form=form, nobody=accounts.nobody_yet()), status)
