"""The HTML pages: blueprints, the sign-in guard, sessions and template helpers."""

from datetime import datetime

from flask import Flask
from jinja2 import StrictUndefined
from markupsafe import Markup

from .. import clock, formatting
from ..accounts import users
from ..extensions import login_manager
from ..http.marks import public as mark_public
from ..models.leads import LeadStatus
from ..resumes.formats import ACCEPT, KINDS, PDF, WARNINGS
from . import auth, dashboard, health, lead_parts, outbox, public
from .access import Sessions, guard

FILTERS = {
    "when": formatting.when,
    "day": formatting.day,
    "span": formatting.span,
    "filesize": formatting.filesize,
    "ordinal": formatting.ordinal,
    "masked": formatting.masked,
    "unlinked": formatting.unlinked,
    "greeting": formatting.greeting,
}


def init_app(app: Flask) -> None:
    """Register the pages, the sign-in guard and the template helpers."""
    for module in (public, auth, dashboard, lead_parts, health):
        app.register_blueprint(module.bp)
    if app.config["AT_HOME"]:
        app.register_blueprint(outbox.bp)
    mark_public(app.view_functions["static"])
    app.session_interface = Sessions()
    app.before_request(guard)
    login_manager.user_loader(users.user_for_login)
    _set_up_templates(app)


def _set_up_templates(app: Flask) -> None:
    """Add filters and globals; a misspelled name raises an error instead of printing nothing."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(FILTERS)
    app.add_template_filter(_moment, "moment")
    app.jinja_env.globals.update(
        ACCEPT=ACCEPT,
        KINDS=KINDS,
        PDF=PDF,
        LeadStatus=LeadStatus,
        WARNINGS=WARNINGS,
        now=clock.now,
    )


def _moment(at: datetime) -> Markup:
    # Safe as markup: neither value comes from a user.
    iso = at.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{iso}">{formatting.when(at)}</time>')  # noqa: S704
