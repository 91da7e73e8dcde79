"""Responses that contain a resume."""

from typing import IO

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from ..models.leads import Submission


def resume(submission: Submission, file: IO[bytes], as_attachment: bool = True) -> Response:
    """Return a response with a resume, to download or to show in the browser.

    Its headers forbid the browser to run scripts in it or to cache it (OWASP File Upload cheat
    sheet).
    """
    response = send_file(
        file,
        mimetype=submission.content_type,
        as_attachment=as_attachment,
        download_name=submission.filename,
        etag=submission.sha256,
        # A range needs the size of the file, and send_file cannot find the size of an open file.
        conditional=False,
    )
    by_range = _wants_one_range()
    if by_range:
        # The wrapper of the WSGI server cannot seek, and would read all bytes before the range.
        response.response = FileWrapper(file)
    response.content_length = submission.size
    response.accept_ranges = "bytes"
    try:
        response.make_conditional(request, accept_ranges=by_range, complete_length=submission.size)
    except RequestedRangeNotSatisfiable:
        file.close()
        raise
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; frame-ancestors 'self'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_one_range() -> bool:
    """Return whether the client requests a single byte range.

    Other ranges are ignored (RFC 9110, 14.2), and so is a range with If-None-Match, because the
    client may have the file already.
    """
    wanted = request.range
    if wanted is None or request.method != "GET" or request.if_none_match:
        return False
    return wanted.units == "bytes" and len(wanted.ranges) == 1
