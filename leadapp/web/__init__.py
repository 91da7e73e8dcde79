"""The HTML edge: its blueprints, its guard, and what its templates may say."""

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
from ..models import LeadStatus
from ..resumes.formats import ACCEPT, KINDS
from ..tokens import LeewaySigner
from . import auth, dashboard, health, outbox, public

# Pages are closed to strangers; these are not. The outbox is there only in development on loopback.
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
# What a page asks for by itself keeps nobody signed in.
POLLED = {"dashboard.arrivals"}
# What is open to whoever must change their password first.
CHANGING = {"auth.password", "auth.logout"}


class Sessions(SecureCookieSessionInterface):
    """Sessions of pages, whose idle time starts anew with each request, but for those that a page makes by itself."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read a page's cookie; the API has none."""
        return None if request.path.startswith("/api/") else super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Allow the machine that signed the cookie to have a slightly different clock."""
        serializer = super().get_signing_serializer(app)
        if serializer:
            serializer.signer = LeewaySigner
        return serializer

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Leave the cookie as it is after a request that no person made."""
        return request.endpoint not in POLLED and super().should_set_cookie(app, session)


def init_app(app: Flask) -> None:
    """Register the pages, their guard and their words."""
    for module in (public, auth, dashboard, health, *([outbox] if app.config["AT_HOME"] else [])):
        app.register_blueprint(module.bp)
    app.session_interface = Sessions()
    app.before_request(_guard)
    login_manager.user_loader(accounts.by_login)
    _set_up_templates(app)


def _set_up_templates(app: Flask) -> None:
    """Add filters and names; a misspelled name raises an error instead of printing nothing."""
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
    return Markup(f'<time datetime="{at.isoformat(timespec="seconds")}">{wording.when(at)}</time>')  # noqa: S704  # ours


def _guard() -> ResponseReturnValue | None:
    """Send a stranger to sign in first; the API guards itself, an unknown address is a 404."""
    if request.endpoint and (request.endpoint in OPEN or request.endpoint.startswith("api.")):
        return None
    # Asked before the address is known to be unknown: the page that says so shows who is here.
    if current_user.is_authenticated and request.endpoint:
        first = accounts.must_change_password(current_user) and request.endpoint not in CHANGING
        return redirect(url_for("auth.password"), 303) if first else None
    if request.endpoint is None:
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=wanted), 303)
