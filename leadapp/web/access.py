"""The guard of the pages and their sessions."""

from flask import Flask, Request, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import URLSafeTimedSerializer

from ..accounts import users
from ..http.marks import has_mark
from ..tokens import LeewaySigner


class Sessions(SecureCookieSessionInterface):
    """Cookie sessions for pages.

    Each request restarts the idle limit, except the requests that a page repeats by itself.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a page request; the API has no sessions."""
        if request.path.startswith("/api/"):
            return None
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return a serializer that tolerates clock differences between machines."""
        serializer = super().get_signing_serializer(app)
        if serializer:
            serializer.signer = LeewaySigner
        return serializer

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Return False after a request that a page repeats by itself; the cookie stays as it is."""
        if has_mark("is_polled"):
            return False
        return super().should_set_cookie(app, session)


def guard() -> ResponseReturnValue | None:
    """Redirect to the sign-in page unless the user is signed in or the page is public.

    The API has its own guard, and an unknown URL is a 404.
    """
    if "api" in request.blueprints or has_mark("is_public"):
        return None
    # Load the user even if the URL is unknown, because the 404 page shows the signed-in user.
    is_signed_in = current_user.is_authenticated
    if request.endpoint is None:
        return None
    if not is_signed_in:
        return redirect(url_for("auth.login", next=_wanted()), 303)
    if has_mark("is_open_before_password_change"):
        return None
    if users.must_change_password(current_user):
        return redirect(url_for("auth.password"), 303)
    return None


def _wanted() -> str | None:
    """Return the page to open after the sign-in; a form cannot be sent again, so it has none."""
    if request.method != "GET":
        return None
    return request.full_path.rstrip("?")
