"""Response headers, request ids and the request log."""

import re
import time
import uuid

from flask import Response, g, request

from .. import errors, log
from ..codes import Code
from ..config import settings

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
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors {ancestors}"
)
# The pages that sites in EMBED_ORIGINS may frame.
FRAMED = {"public.submit_lead", "public.submitted"}


def bearer_token() -> str | None:
    """Return the bearer token of the request (RFC 6750), or None. The scheme has any case."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip() or None


def begin_request() -> None:
    """Start the clock, take over or make a request id, and refuse an unknown host name."""
    g.started = time.perf_counter()
    request_id = request.headers.get("X-Request-ID", "")
    if not OWN_ID.fullmatch(request_id):
        request_id = uuid.uuid4().hex
    log.request_id.set(request_id)
    # A health check may know only an IP address, so its Host header is not checked.
    name = re.sub(r":\d+$", "", request.host)
    name = name.strip("[]").lower()
    if name not in settings.HOSTS and request.blueprint != "health":
        raise errors.LeadappError(Code.HOST_UNKNOWN)


def finish_response(response: Response) -> Response:
    """Add the headers that every response carries, and log the request."""
    _add_defaults(response)
    if settings.SESSION_COOKIE_SECURE:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    response.headers["X-Request-ID"] = log.request_id.get() or ""
    trace_id = None
    trace = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    if trace:
        response.headers["traceparent"] = trace[0]
        trace_id = trace[1]
    _log_request(response.status_code, trace_id)
    return response


def _add_defaults(response: Response) -> None:
    """Add the headers of HEADERS and the Content-Security-Policy, unless the view has set them."""
    defaults = HEADERS.copy()
    defaults["Content-Security-Policy"] = POLICY.format(ancestors=_frame_ancestors())
    # A set of names, because each lookup in the headers searches all of them.
    set_already = {name.lower() for name, _ in response.headers}
    for name, value in defaults.items():
        if name.lower() not in set_already:
            response.headers.add(name, value)


def _frame_ancestors() -> str:
    """Return the sites that may show this page in a frame."""
    if request.endpoint in FRAMED:
        sites = ["'self'"]
        sites += settings.EMBED_ORIGINS
        return " ".join(sites)
    if request.endpoint == "dashboard.preview_resume":  # error pages appear in the frame too
        return "'self'"
    return "'none'"


def _log_request(status: int, trace_id: str | None) -> None:
    seconds = time.perf_counter() - g.started
    facts = {
        "method": request.method,
        "route": None,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "user": getattr(g.get("_login_user"), "id", None),
        "trace_id": trace_id,
    }
    if request.url_rule:
        facts["route"] = request.url_rule.rule
    log.logger.info("request", extra={"facts": facts})
