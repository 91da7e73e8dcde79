"""Error handlers and request hooks.

This module alone turns exceptions into responses. It also adds an id and a log line to every
request, and security headers to every response.
"""

import errno
import math
import re
import time
import uuid
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

from . import errors, log
from .config import settings
from .extensions import BODY_MAX, DOORS, limiter
from .schemas.writers import ProblemSchema
from .wording import filesize, span

OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors {ancestors}"
)
# PostgreSQL's codes for a missing table, column or permission. The database was not migrated, or
# another database user migrated it.
NOT_MIGRATED = {"42P01", "42703", "42501"}
FRAMED = {"public.submit_lead", "public.submitted"}


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


def begin_request() -> None:
    g.started = time.perf_counter()
    theirs = request.headers.get("X-Request-ID", "")
    log.request_id.set(theirs if OWN_ID.fullmatch(theirs) else uuid.uuid4().hex)
    # A health check may know only an IP address, so its Host header is not checked.
    name = re.sub(r":\d+$", "", request.host).strip("[]").lower()
    if name not in settings["HOSTS"] and request.blueprint != "health":
        raise errors.Unreadable("host_unknown")


def limit_body() -> None:
    """Reject a body over BODY_MAX before it is parsed; only a resume form may be larger."""
    if request.endpoint in DOORS and request.mimetype == "multipart/form-data":
        return
    # The length of a chunked body is unknown until it is read.
    if "Transfer-Encoding" in request.headers:
        request.max_content_length = BODY_MAX + 1
        length = len(request.get_data())
    else:
        length = request.content_length or 0
    if length > BODY_MAX:
        raise errors.TooLarge("body_too_large", limit=filesize(BODY_MAX))


def finish_response(response: Response) -> Response:
    ancestors = "'none'"
    if request.endpoint in FRAMED:
        ancestors = " ".join(["'self'", *settings["EMBED_ORIGINS"]])
    elif request.endpoint == "dashboard.preview_resume":  # error pages appear in the frame too
        ancestors = "'self'"
    ours = HEADERS | {"Content-Security-Policy": POLICY.format(ancestors=ancestors)}
    # A set of names, because each lookup in the headers searches all of them.
    theirs = {name.lower() for name, _ in response.headers}
    response.headers.extend(
        (name, value) for name, value in ours.items() if name.lower() not in theirs
    )
    if settings["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    response.headers["X-Request-ID"] = log.request_id.get() or ""
    if trace := TRACEPARENT.fullmatch(request.headers.get("traceparent", "")):
        response.headers["traceparent"] = trace[0]
    facts = {
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - g.started) * 1000, 1),
        "user": getattr(g.get("_login_user"), "id", None),
        "trace_id": trace and trace[1],
    }
    log.logger.info("request", extra={"facts": facts})
    return response


def _http_error(error: HTTPException) -> Response:
    """Return the response to an error that Flask, Werkzeug or an extension raised."""
    status = error.code or 500
    code = f"http_{status}"
    if code not in errors.MESSAGES:
        code = "http_400" if status < 500 else "http_500"
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


def _domain_error(error: errors.LeadappError) -> Response:
    """Return the response to an error of the domain."""
    headers = {}
    if isinstance(error, errors.NotSignedIn):
        invalid = ', error="invalid_token"' if error.message.code == "token_invalid" else ""
        headers["WWW-Authenticate"] = f'Bearer realm="leadapp"{invalid}'
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    return _answer(error.status, error.message, headers)


def _invalid(error: errors.InvalidInput) -> Response:
    refusals = [
        {
            "pointer": _pointer(field),
            "detail": message,
            "code": getattr(message, "code", "http_422"),
        }
        for field, messages in error.fields.items()
        for message in messages
    ]
    return _answer(422, errors.Message("http_422"), {}, refusals)


def _pointer(field: str) -> str:
    """Return a JSON pointer to a field of the request (RFC 6901)."""
    return "#/" + field.replace("~", "~0").replace("/", "~1")


def _body_unreadable(_error: Exception) -> Response:
    return _domain_error(errors.Unreadable("body_unreadable"))


def _database_away(error: Exception) -> Response:
    log.logger.error("the database cannot be used: %s", type(error).__name__)
    # Otherwise the error page would load the signed-in user from the database.
    g._login_user = AnonymousUserMixin()
    return _domain_error(errors.Unavailable("database_unavailable"))


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
    return _domain_error(errors.Unavailable("storage_unavailable"))


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
            "type": f"{settings['BASE_URL']}/redoc#{message.code}",
            "title": title,
            "status": status,
            "detail": message,
            "instance": f"urn:request:{log.request_id.get()}",
            "code": message.code,
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
