"""The headers of the API, as the OpenAPI document describes them."""

from typing import Any

from ..http.headers import OWN_ID

Described = dict[str, dict[str, Any]]

IDEMPOTENCY_KEY = "[!-~]{1,255}"
REQUEST: Described = {
    "Idempotency-Key": {
        "description": "Your own key for this submission. A request with the same key and content "
        "within a day gets the first response again.",
        "schema": {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY}$"},
    },
    "If-None-Match": {
        "description": "Your ETag. The response is 304 if this version is still current.",
        "schema": {"type": "string"},
    },
    "If-Match": {
        "description": "Your ETag. The response is 412 if this version is no longer current.",
        "schema": {"type": "string"},
    },
    "Range": {
        "description": "The bytes to return, such as `bytes=0-1023`.",
        "schema": {"type": "string"},
    },
}
RESPONSE: Described = {
    "X-Request-ID": {
        "description": "The id of this request in the server's log. It is your own id if you sent "
        "one.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{OWN_ID.pattern}$"},
    },
    "Location": {
        "description": "The URL where an attorney can read the lead.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "Present if this response repeats the response to an earlier request.",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {
        "description": "The URLs of the first, previous, next and last page (RFC 8288).",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version, for `If-None-Match` and `If-Match` (RFC 9110).",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[!-~]+"$'},
    },
    "Content-Range": {
        "description": "The part of the file in this response.",
        "required": True,
        "schema": {"type": "string", "pattern": "^bytes "},
    },
    "WWW-Authenticate": {
        "description": "The required authentication (RFC 6750).",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer "},
    },
    "Retry-After": {
        "description": "The number of seconds to wait before the next try.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}
# The headers that a response has because of its status.
BY_STATUS = {
    206: "Content-Range",
    401: "WWW-Authenticate",
    416: "Content-Range",
    429: "Retry-After",
    503: "Retry-After",
}
