"""Pages to sign in, sign out, and change or reset a password."""

import re

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from .. import normalize
from ..accounts import users
from ..codes import Code
from ..config import settings
from ..errors import Forbidden, Message, NotFound, NotSignedIn
from ..extensions import csrf
from ..http.forms import ForgotForm, LoginForm, PasswordForm
from ..http.marks import open_before_password_change, public
from ..models.accounts import User

bp = Blueprint("auth", __name__, url_prefix="/auth")


# The form checks its own CSRF token: a stale token shows the form again, not a bare 400 page.
@bp.route("/login", methods=["GET", "POST"])
@public
@csrf.exempt
def login() -> ResponseReturnValue:
    """Sign an attorney in with a new session, then redirect to the requested page."""
    form = LoginForm(next=request.args.get("next"))
    wanted = _own_path(form.next.data) or url_for("dashboard.list_leads")
    if current_user.is_authenticated and not form.is_submitted():
        return redirect(wanted, 303)
    if form.validate_on_submit():
        try:
            _begin_session(_authenticate(form))
            return redirect(wanted, 303)
        except (NotSignedIn, Forbidden) as refusal:
            form.username.errors = [refusal.message]
    if not form.csrf_token.errors:
        return _login_page(form)
    # The same user has signed in from another tab, so this token is stale.
    if _is_signed_in_as(form.username.data):
        return redirect(wanted, 303)
    return _login_page(form, stale=True)


@bp.post("/logout")
@open_before_password_change
def logout() -> Response:
    """End the session on the server, so that a copied cookie stops working too."""
    _end_session()
    # Werkzeug annotates redirect() with its own response type, not Flask's.
    return redirect(url_for(".login"), 303)  # type: ignore[return-value]


@bp.route("/password", methods=["GET", "POST"])
@open_before_password_change
def password() -> ResponseReturnValue:
    """Change the user's own password.

    This device stays signed in with a new session; every other device is signed out.
    """
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            user = _change_password(form)
        except NotSignedIn:
            form.present.errors = [Message(Code.PRESENT_PASSWORD_WRONG)]
        else:
            _begin_session(user)
            flash("Your password was changed, and every other device was signed out", "good")
            return redirect(url_for("dashboard.list_leads"), 303)
    page = render_template("auth/password.html", form=form, user=current_user)
    return page, _status_of(form)


@bp.route("/forgot", methods=["GET", "POST"])
@public
def forgot() -> ResponseReturnValue:
    """Queue a password-reset e-mail.

    The response is the same whether or not the account exists.
    """
    if not settings.SMTP_HOST:
        raise NotFound(Code.RESET_OFF)
    form = ForgotForm()
    if form.validate_on_submit():
        users.request_reset(form.email.data)
        flash(
            "If there is an account with this address, an e-mail with a link is on its way", "good"
        )
        return redirect(url_for(".login"), 303)
    return render_template("auth/forgot.html", form=form), _status_of(form)


@bp.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    """Set a new password for the user named by the link in a password-reset e-mail."""
    user = users.user_for_reset_link(token)
    form = PasswordForm()
    del form.present
    if form.validate_on_submit():
        users.set_password(user, form.password.data)
        flash("Your password was changed. Sign in with the new one", "good")
        return redirect(url_for(".login"), 303)
    return render_template("auth/password.html", form=form, user=user), _status_of(form)


def _authenticate(form: LoginForm) -> User:
    address = request.remote_addr or ""
    password = form.password.data or ""
    return users.authenticate(form.username.data, password, address)


def _change_password(form: PasswordForm) -> User:
    address = request.remote_addr or ""
    present = form.present.data or ""
    return users.change_password(current_user, present, form.password.data, address)


def _login_page(form: LoginForm, stale: bool = False) -> ResponseReturnValue:
    """Show the form; `stale` if its CSRF token is no longer valid."""
    page = render_template(
        "auth/login.html",
        form=form,
        no_users=users.no_users_exist(),
        notice=Message(Code.SIGN_IN_STALE) if stale else None,
    )
    return page, 400 if stale else _status_of(form)


def _status_of(form: LoginForm | PasswordForm | ForgotForm) -> int:
    return 422 if form.errors else 200


def _is_signed_in_as(name: str | None) -> bool:
    """Return whether this browser is already signed in with this username or e-mail."""
    if not name or not current_user.is_authenticated:
        return False
    return normalize.email_key(name) in (current_user.username_key, current_user.email_key)


def _begin_session(user: User) -> None:
    """Sign a user in with a new session, after ending any earlier session of this browser."""
    _end_session()
    users.sign_in(user)
    login_user(user)
    session.permanent = True  # the idle limit counts from the last request, not from the sign-in


def _end_session() -> None:
    if current_user.is_authenticated:
        users.sign_out(current_user.login_id)
    logout_user()
    session.clear()


def _own_path(wanted: str | None) -> str | None:
    """Return `wanted` if it is a path on this site, otherwise None.

    Rejects a host, a scheme, and characters that a browser could read as either.
    """
    if wanted and re.fullmatch(r"/(?!/)[^\\\s\x00-\x1f]*", wanted):
        return wanted
    return None
