"""The JSON API under /api/v1; endpoints require a bearer token by default."""

from flask import Blueprint, Flask, Response, g, request
from flask_login import AnonymousUserMixin

from .. import tokens
from ..accounts import users
from ..codes import Code
from ..config import settings
from ..errors import Forbidden, NotSignedIn
from ..extensions import csrf
from ..http.headers import bearer_token
from ..http.marks import has_mark
from . import auth, docs, leads
from .headers import RESPONSE

bp = Blueprint("api", __name__, url_prefix="/api/v1")
for nested in (leads.bp, auth.bp):
    bp.register_blueprint(nested)
    # The API reads no cookie. Flask-WTF looks only at the innermost blueprint.
    csrf.exempt(nested)


def init_app(app: Flask) -> None:
    """Register the API."""
    app.register_blueprint(bp)
    app.register_blueprint(docs.bp)
    # Flask's default JSON provider has this attribute.
    app.json.sort_keys = False  # type: ignore[attr-defined]


@bp.before_request
def identify() -> None:
    """Identify the user by the bearer token alone.

    `_login_user` is always set, because otherwise Flask-Login would read the session cookie, which
    the API ignores.
    """
    g._login_user = AnonymousUserMixin()
    if has_mark("is_public") or request.method == "OPTIONS":
        return
    token = bearer_token()
    if token is None:
        raise NotSignedIn(Code.NOT_SIGNED_IN)
    user = users.user_for_login(tokens.verify_bearer(token))
    if user is None:
        raise NotSignedIn(Code.TOKEN_INVALID)
    g._login_user = user
    if users.must_change_password(user):
        raise Forbidden(Code.PASSWORD_CHANGE_REQUIRED)


@bp.after_request
def share(response: Response) -> Response:
    """Allow the scripts of CORS_ORIGINS to read responses.

    Credentials are not allowed, because the API ignores cookies.
    """
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin in settings.CORS_ORIGINS:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH"
        response.headers["Access-Control-Allow-Headers"] = (
            "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID, "
            "traceparent"
        )
        response.headers["Access-Control-Expose-Headers"] = ", ".join(RESPONSE)
        response.headers["Access-Control-Max-Age"] = "600"
    return response
