"""The JSON edge under /api/v1: bearer tokens only, closed by default."""

from flask import Blueprint, Flask, Response, g, request
from flask_login import AnonymousUserMixin

from .. import accounts, tokens
from ..config import current
from ..errors import Forbidden, NotSignedIn
from ..extensions import csrf
from . import auth, docs, leads

CONDITIONS = "Idempotency-Key, If-Match, If-None-Match, X-Request-ID, traceparent"
# Everything here needs a token; these do not.
OPEN = {"api.leads.submit_lead", "api.auth.register", "api.auth.login"}

bp = Blueprint("api", __name__, url_prefix="/api/v1")
for nested in (leads.bp, auth.bp):
    bp.register_blueprint(nested)
    csrf.exempt(nested)  # no cookie is read here; Flask-WTF looks at the innermost blueprint only


def init_app(app: Flask) -> None:
    """Register the API."""
    app.register_blueprint(bp)
    app.register_blueprint(docs.bp)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider


@bp.before_request
def identify() -> None:
    """Find who asks by the bearer token alone: Flask-Login would look at the cookie, which counts for nothing here."""
    g._login_user = AnonymousUserMixin()
    if request.endpoint in OPEN or request.method == "OPTIONS":
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("not_signed_in")
    user = accounts.by_login(tokens.read_bearer(token.strip()))
    if user is None:
        raise NotSignedIn("token_invalid")
    g._login_user = user
    if accounts.must_change_password(user):
        raise Forbidden("password_change_required")


@bp.after_request
def share(response: Response) -> Response:
    """Let the scripts of CORS_ORIGINS read answers; without credentials, since cookies count for nothing here."""
    response.vary.add("Origin")
    if (origin := request.headers.get("Origin")) in current["CORS_ORIGINS"]:
        response.headers["Access-Control-Allow-Origin"] = str(origin)
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH"
        response.headers["Access-Control-Allow-Headers"] = (
            f"Authorization, Content-Type, {CONDITIONS}"
        )
        response.headers["Access-Control-Expose-Headers"] = (
            "ETag, Idempotency-Replayed, Link, Location, X-Request-ID"
        )
        response.headers["Access-Control-Max-Age"] = "600"
    return response
