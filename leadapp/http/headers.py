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
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors {ancestors}"
)
FRAMED = {"public.submit_lead", "public.submitted"}


def begin_request() -> None:
    """Start the clock, take over or make a request id, and refuse an unknown host name."""
    g.started = time.perf_counter()
    theirs = request.headers.get("X-Request-ID", "")
    log.request_id.set(theirs if OWN_ID.fullmatch(theirs) else uuid.uuid4().hex)
    # A health check may know only an IP address, so its Host header is not checked.
    name = re.sub(r":\d+$", "", request.host).strip("[]").lower()
    if name not in settings["HOSTS"] and request.blueprint != "health":
        raise errors.LeadappError(Code.HOST_UNKNOWN)


def finish_response(response: Response) -> Response:
    """Add the headers that every response carries, and log the request."""
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
