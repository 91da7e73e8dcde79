"""Error handlers and request hooks.

This module alone turns exceptions into responses. It also adds an id and a log line to every
request, and security headers to every response.
"""

import errno
import math
import time
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request
from flask_login import AnonymousUserMixin
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    RequestEntityTooLarge,
    TooManyRequests,
)

from .. import errors, log
from ..codes import Code
from ..config import settings
from ..extensions import limiter
from ..formatting import filesize, span
from .headers import begin_request, finish_response
from .request import limit_body
from .writers import ProblemSchema

# PostgreSQL's codes for a missing table, column or permission. The database was not migrated, or
# another database user migrated it.
NOT_MIGRATED = {"42P01", "42703", "42501"}


def init_app(app: Flask) -> None:
    """Register before the extensions, so that their errors get an id and headers too."""
    app.before_request(begin_request)
    app.before_request(limit_body)
    app.after_request(finish_response)
    app.register_error_handler(HTTPException, _http_error)
    # The body ended early or has a bad chunk.
    for broken in (ClientDisconnected, ParseException):
        app.register_error_handler(broken, _body_unreadable)
    app.register_error_handler(errors.LeadappError, _domain_error)
    app.register_error_handler(errors.InvalidInput, _invalid)
    # A read-only PostgreSQL raises InternalError.
    for away in (OperationalError, PoolTimeout, InternalError):
        app.register_error_handler(away, _database_away)
    app.register_error_handler(ProgrammingError, _statement_refused)
    app.register_error_handler(OSError, _disk_refused)
    # Flask's own method logs the path, which may contain a token.
    app.log_exception = _log_exception  # type: ignore[method-assign]


def _http_error(error: HTTPException) -> Response:
    """Return the response to an error that Flask, Werkzeug or an extension raised."""
    status = error.code or 500
    code = _code_of(status)
    message = errors.Message(
        code, limit=filesize(settings["MAX_FILE_SIZE"]), wait=span(timedelta(minutes=1))
    )
    kept = {
        name: value
        for name, value in error.get_headers()
        if name not in ("Content-Type", "Content-Length")
    }
    if isinstance(error, RequestEntityTooLarge):
        kept["Connection"] = "close"  # the rest of the body stays unread
    if isinstance(error, TooManyRequests) and (limit := limiter.current_limit):
        seconds = max(1, math.ceil(limit.reset_at - time.time()))
        kept["Retry-After"] = str(seconds)
        # The message rounds to hours above one hour, otherwise to minutes.
        unit = 3600 if seconds > 3600 else 60
        message = errors.Message(
            code, wait=span(timedelta(seconds=max(1, round(seconds / unit)) * unit))
        )
    return _answer(status, message, kept)


def _code_of(status: int) -> Code:
    """Return the code of an HTTP status, or of the first status in its class."""
    try:
        return Code[f"HTTP_{status}"]
    except KeyError:
        return Code.HTTP_400 if status < 500 else Code.HTTP_500


def _domain_error(error: errors.LeadappError) -> Response:
    """Return the response to an error of the domain."""
    headers = {}
    if isinstance(error, errors.NotSignedIn):
        invalid = ', error="invalid_token"' if error.code == Code.TOKEN_INVALID else ""
        headers["WWW-Authenticate"] = f'Bearer realm="leadapp"{invalid}'
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    return _answer(error.code.status, error.message, headers)


def _invalid(error: errors.InvalidInput) -> Response:
    refusals = [
        {
            "pointer": _pointer(field),
            "detail": message,
            "code": getattr(message, "code", Code.HTTP_422).key,
        }
        for field, messages in error.fields.items()
        for message in messages
    ]
    return _answer(422, errors.Message(Code.HTTP_422), {}, refusals)


def _pointer(field: str) -> str:
    """Return a JSON pointer to a field of the request (RFC 6901)."""
    return "#/" + field.replace("~", "~0").replace("/", "~1")


def _body_unreadable(_error: Exception) -> Response:
    return _domain_error(errors.LeadappError(Code.BODY_UNREADABLE))


def _database_away(error: Exception) -> Response:
    log.logger.error("the database cannot be used: %s", type(error).__name__)
    # Otherwise the error page would load the signed-in user from the database.
    g._login_user = AnonymousUserMixin()
    return _domain_error(errors.Unavailable(Code.DATABASE_UNAVAILABLE))


def _statement_refused(error: ProgrammingError) -> Response:
    """Return a 503 if PostgreSQL was not migrated; raise any other error, which is a bug."""
    if getattr(error.orig, "sqlstate", None) not in NOT_MIGRATED:
        raise error
    return _database_away(error)


def _disk_refused(error: OSError) -> Response:
    """Return a 503 if the disk is full or the request has staged an upload.

    Raises any other error, which is a bug.
    """
    if not getattr(request, "staged", None) and error.errno != errno.ENOSPC:
        raise error
    return _domain_error(errors.Unavailable(Code.STORAGE_UNAVAILABLE))


def _log_exception(exc_info: Any) -> None:
    route = request.url_rule.rule if request.url_rule else None
    log.logger.error("a fault of ours", exc_info=exc_info, extra={"facts": {"route": route}})


def _answer(
    status: int,
    message: errors.Message,
    headers: Mapping[str, str],
    refusals: list[dict[str, Any]] | None = None,
) -> Response:
    """Return problem+json for a path under /api, and an HTML page otherwise."""
    title = HTTPStatus(status).phrase
    if request.path.startswith("/api/"):
        problem = {
            "type": f"{settings['BASE_URL']}/redoc#{message.code.key}",
            "title": title,
            "status": status,
            "detail": message,
            "instance": f"urn:request:{log.request_id.get()}",
            "code": message.code.key,
        }
        if refusals:
            problem["errors"] = refusals
        response = current_app.make_response(ProblemSchema().dump(problem))
        response.mimetype = "application/problem+json"
    else:
        page = {
            "status": status,
            "message": message,
            "refusals": refusals,
            "request_id": log.request_id.get(),
        }
        response = current_app.make_response(render_template("errors/error.html", **page))
    response.status_code = status
    response.headers.update(headers)
    return response
