"""The guard of the pages and their sessions."""

from flask import Flask, Request, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import URLSafeTimedSerializer

from ..accounts import users
from ..tokens import LeewaySigner

# Every page requires a sign-in, except these. The outbox exists only in development on loopback.
OPEN = {
    "static",
    "public.submit_lead",
    "public.submitted",
    "public.theme",
    "public.receipt",
    "auth.login",
    "auth.forgot",
    "auth.reset",
    "health.health",
    "health.ready",
    "metrics.show",
    "docs.openapi",
    "docs.try_out",
    "docs.swagger_ui",
    "docs.read",
    "outbox.list_letters",
}
# Requests that a page repeats by itself. They do not extend the session.
POLLED = {"dashboard.arrivals"}
# Pages that remain open to a user with a required password change.
CHANGING = {"auth.password", "auth.logout"}


class Sessions(SecureCookieSessionInterface):
    """Cookie sessions for pages.

    Each request restarts the idle limit, except the requests that a page repeats by itself.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a page request; the API has no sessions."""
        return None if request.path.startswith("/api/") else super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return a serializer that tolerates clock differences between machines."""
        serializer = super().get_signing_serializer(app)
        if serializer:
            serializer.signer = LeewaySigner
        return serializer

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Return False after a request that a page repeats by itself; the cookie stays as it is."""
        return request.endpoint not in POLLED and super().should_set_cookie(app, session)


def guard() -> ResponseReturnValue | None:
    """Redirect to the sign-in page unless the user is signed in or the page is public.

    The API has its own guard, and an unknown URL is a 404.
    """
    if request.endpoint and (request.endpoint in OPEN or request.endpoint.startswith("api.")):
        return None
    # Load the user even if the URL is unknown, because the 404 page shows the signed-in user.
    if current_user.is_authenticated and request.endpoint:
        first = users.must_change_password(current_user) and request.endpoint not in CHANGING
        return redirect(url_for("auth.password"), 303) if first else None
    if request.endpoint is None:
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=wanted), 303)
