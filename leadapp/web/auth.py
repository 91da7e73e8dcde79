"""Signing in and out, and what there is to do about a password."""

import re

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from .. import accounts, rules
from ..config import current
from ..errors import Forbidden, Message, NotFound, NotSignedIn
from ..extensions import csrf
from ..forms import ForgotForm, LoginForm, PasswordForm
from ..models import User

bp = Blueprint("auth", __name__, url_prefix="/auth")


# The form checks its own token: the answer to a stale one is the form again, not a bare 400.
@bp.route("/login", methods=["GET", "POST"])
@csrf.exempt
def login() -> ResponseReturnValue:
    """Sign an attorney in under a new session, then redirect to the page they wanted."""
    form = LoginForm(next=request.args.get("next"))
    wanted = _own_path(form.next.data) or url_for("dashboard.list_leads")
    if current_user.is_authenticated and not form.is_submitted():
        return redirect(wanted, 303)
    if form.is_submitted() and form.validate():
        typed = (form.username.data, form.password.data or "", request.remote_addr or "")
        try:
            _begin_session(accounts.authenticate(*typed))
            return redirect(wanted, 303)
        except (NotSignedIn, Forbidden) as refusal:
            form.username.errors = [refusal.message]
    if form.csrf_token.errors and _is_signed_in_as(form.username.data):  # in another tab
        return redirect(wanted, 303)
    if form.csrf_token.errors:
        return _login_page(form, 400, Message("sign_in_stale"))
    return _login_page(form, 422 if form.errors else 200)


@bp.post("/logout")
def logout() -> Response:
    """End the session for good, a copied cookie included."""
    _end_session()
    return redirect(url_for(".login"), 303)  # type: ignore[return-value]  # Werkzeug's own type


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Change one's own password; this device stays signed in under a new session, every other is out."""
    form = PasswordForm()
    if form.is_submitted() and form.validate():
        typed = (form.present.data or "", form.password.data, request.remote_addr or "")
        try:
            _begin_session(accounts.change_password(current_user, *typed))
            flash("Your password is changed, and every other device is signed out", "good")
            return redirect(url_for("dashboard.list_leads"), 303)
        except NotSignedIn:
            form.present.errors = [Message("present_password_wrong")]
    return render_template(
        "auth/password.html", form=form, user=current_user
    ), 422 if form.errors else 200


@bp.route("/forgot", methods=["GET", "POST"])
def forgot() -> ResponseReturnValue:
    """Owe a letter with a link to a new password; who asks never learns whether there is such an account."""
    if not current["SMTP_HOST"]:
        raise NotFound("reset_off")
    form = ForgotForm()
    if form.is_submitted() and form.validate():
        accounts.offer_reset(form.email.data)
        flash(
            "If there is an account with this address, an e-mail with a link is on its way", "good"
        )
        return redirect(url_for(".login"), 303)
    return render_template("auth/forgot.html", form=form), 422 if form.errors else 200


@bp.route("/reset/<token>", methods=["GET", "POST"])
def reset(token: str) -> ResponseReturnValue:
    """Set a new password for whoever holds the letter."""
    user, form = accounts.by_reset_link(token), PasswordForm()
    del form.present
    if form.is_submitted() and form.validate():
        accounts.set_password(user, form.password.data)
        flash("Your password is changed. Sign in with it", "good")
        return redirect(url_for(".login"), 303)
    return render_template("auth/password.html", form=form, user=user), 422 if form.errors else 200


def _login_page(form: LoginForm, status: int, notice: Message | None = None) -> ResponseReturnValue:
    page = render_template(
        "auth/login.html", form=form, nobody=accounts.nobody_yet(), notice=notice
    )
    return page, status


def _is_signed_in_as(name: str | None) -> bool:
    """Return whether this browser is signed in already, as the user of this username or e-mail."""
    if not (name and current_user.is_authenticated):
        return False
    return rules.email_key(name) in (current_user.username_key, current_user.email_key)


def _begin_session(user: User) -> None:
    """Sign a user in under a session of its own, whatever this browser held before."""
    _end_session()
    accounts.sign_in(user)
    login_user(user)
    session.permanent = True  # the idle limit counts from the last request, not from the sign-in


def _end_session() -> None:
    if current_user.is_authenticated:
        accounts.sign_out(current_user.login_id)
    logout_user()
    session.clear()


def _own_path(wanted: str | None) -> str | None:
    """Allow a path of this site only: no host, no scheme, and nothing a browser reads as one."""
    return wanted if re.fullmatch(r"/(?!/)[^\\\s\x00-\x1f]*", wanted or "") else None
