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
MINUTE, HOUR = 60, 3600  # in seconds


def init_app(app: Flask) -> None:
    """Register the handlers and hooks.

    Must run before the extensions are bound, so that their errors get an id and headers too.
    """
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
    for failure in (OperationalError, PoolTimeout, InternalError):
        app.register_error_handler(failure, _database_unavailable)
    app.register_error_handler(ProgrammingError, _statement_refused)
    app.register_error_handler(OSError, _disk_refused)
    # Flask's own method logs the path, which may contain a token.
    app.log_exception = _log_exception  # type: ignore[method-assign]


def _http_error(error: HTTPException) -> Response:
    """Return the response to an error that Flask, Werkzeug or an extension raised."""
    status = error.code or 500
    wait = timedelta(minutes=1)
    headers = dict(error.get_headers())
    for replaced in ("Content-Type", "Content-Length"):
        headers.pop(replaced, None)
    if isinstance(error, RequestEntityTooLarge):
        headers["Connection"] = "close"  # the rest of the body stays unread
    if isinstance(error, TooManyRequests) and limiter.current_limit:
        left = limiter.current_limit.reset_at - time.time()
        seconds = max(1, math.ceil(left))
        headers["Retry-After"] = str(seconds)
        wait = _rounded(seconds)
    message = errors.Message(
        _code_of(status), limit=filesize(settings.MAX_FILE_SIZE), wait=span(wait)
    )
    return _answer(status, message, headers)


def _rounded(seconds: int) -> timedelta:
    """Round to hours above one hour, otherwise to minutes, but at least to one minute."""
    if seconds > HOUR:
        return timedelta(hours=round(seconds / HOUR))
    return timedelta(minutes=max(1, round(seconds / MINUTE)))


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
        headers["WWW-Authenticate"] = 'Bearer realm="leadapp"'
    if error.code == Code.TOKEN_INVALID:
        headers["WWW-Authenticate"] = 'Bearer realm="leadapp", error="invalid_token"'
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    return _answer(error.code.status, error.message, headers)


def _invalid(error: errors.InvalidInput) -> Response:
    refusals = []
    for field, messages in error.fields.items():
        pointer = _pointer(field)
        for message in messages:
            # A message of WTForms or marshmallow itself has no code.
            code = getattr(message, "code", Code.HTTP_422)
            refusals.append({"pointer": pointer, "detail": message, "code": code.key})
    return _answer(422, errors.Message(Code.HTTP_422), {}, refusals)


def _pointer(field: str) -> str:
    """Return a JSON pointer to a field of the request (RFC 6901)."""
    return "#/" + field.replace("~", "~0").replace("/", "~1")


def _body_unreadable(_error: Exception) -> Response:
    return _domain_error(errors.LeadappError(Code.BODY_UNREADABLE))


def _database_unavailable(error: Exception) -> Response:
    log.logger.error("the database cannot be used: %s", type(error).__name__)
    # Otherwise the error page would load the signed-in user from the database.
    g._login_user = AnonymousUserMixin()
    return _domain_error(errors.Unavailable(Code.DATABASE_UNAVAILABLE))


def _statement_refused(error: ProgrammingError) -> Response:
    """Return a 503 if PostgreSQL was not migrated; raise any other error, which is a bug."""
    if getattr(error.orig, "sqlstate", None) not in NOT_MIGRATED:
        raise error
    return _database_unavailable(error)


def _disk_refused(error: OSError) -> Response:
    """Return a 503 if the disk is full or the request has staged an upload.

    Raises any other error, which is a bug.
    """
    if not getattr(request, "staged", None) and error.errno != errno.ENOSPC:
        raise error
    return _domain_error(errors.Unavailable(Code.STORAGE_UNAVAILABLE))


def _log_exception(exc_info: Any) -> None:
    route = None
    if request.url_rule:
        route = request.url_rule.rule
    log.logger.error("a fault of ours", exc_info=exc_info, extra={"facts": {"route": route}})


def _answer(
    status: int,
    message: errors.Message,
    headers: Mapping[str, str],
    refusals: list[dict[str, Any]] | None = None,
) -> Response:
    """Return problem+json for a path under /api, and an HTML page otherwise."""
    if request.path.startswith("/api/"):
        response = _problem(status, message, refusals)
    else:
        page = render_template(
            "errors/error.html",
            status=status,
            message=message,
            refusals=refusals,
            request_id=log.request_id.get(),
        )
        response = current_app.make_response(page)
    response.status_code = status
    response.headers.update(headers)
    return response


def _problem(
    status: int, message: errors.Message, refusals: list[dict[str, Any]] | None
) -> Response:
    key = message.code.key
    problem = {
        "type": f"{settings.BASE_URL}/redoc#{key}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "instance": f"urn:request:{log.request_id.get()}",
        "code": key,
    }
    if refusals:
        problem["errors"] = refusals
    response = current_app.make_response(ProblemSchema().dump(problem))
    response.mimetype = "application/problem+json"
    return response
