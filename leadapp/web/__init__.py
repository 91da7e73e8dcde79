"""The HTML pages: blueprints, the sign-in guard, sessions and template helpers."""

from datetime import datetime
from uuid import UUID

from flask import Flask, Request, redirect, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import URLSafeTimedSerializer
from jinja2 import StrictUndefined
from markupsafe import Markup

from .. import accounts, wording
from ..errors import WARNINGS
from ..extensions import login_manager
from ..models.leads import LeadStatus
from ..resumes.formats import ACCEPT, KINDS
from ..tokens import LeewaySigner
from . import auth, dashboard, health, outbox, public

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


def init_app(app: Flask) -> None:
    """Register the pages, the sign-in guard and the template helpers."""
    for module in (public, auth, dashboard, health, *([outbox] if app.config["AT_HOME"] else [])):
        app.register_blueprint(module.bp)
    app.session_interface = Sessions()
    app.before_request(guard)
    login_manager.user_loader(accounts.user_for_login)
    _set_up_templates(app)


def _set_up_templates(app: Flask) -> None:
    """Add filters and globals; a misspelled name raises an error instead of printing nothing."""
    app.jinja_env.undefined = StrictUndefined
    for word in ("when", "day", "span", "filesize", "ordinal", "masked", "unlinked", "greeting"):
        app.add_template_filter(getattr(wording, word))
    app.add_template_filter(_moment, "moment")
    app.jinja_env.globals.update(
        ACCEPT=ACCEPT,
        KINDS=KINDS,
        LeadStatus=LeadStatus,
        NOBODY=str(UUID(int=0)),
        WARNINGS=WARNINGS,
        now=wording.now,
    )


def _moment(at: datetime) -> Markup:
    # Safe as markup: neither value comes from a user.
    return Markup(f'<time datetime="{at.isoformat(timespec="seconds")}">{wording.when(at)}</time>')  # noqa: S704


def guard() -> ResponseReturnValue | None:
    """Redirect to the sign-in page unless the user is signed in or the page is public.

    The API has its own guard, and an unknown URL is a 404.
    """
    if request.endpoint and (request.endpoint in OPEN or request.endpoint.startswith("api.")):
        return None
    # Load the user even if the URL is unknown, because the 404 page shows the signed-in user.
    if current_user.is_authenticated and request.endpoint:
        first = accounts.must_change_password(current_user) and request.endpoint not in CHANGING
        return redirect(url_for("auth.password"), 303) if first else None
    if request.endpoint is None:
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=wanted), 303)
