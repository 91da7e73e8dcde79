"""What leaves as a file: a resume on its way to an attorney."""

from typing import IO

from flask import Response, request, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from .models import Submission


def resume(submission: Submission, file: IO[bytes], as_attachment: bool = True) -> Response:
    """Answer with a resume to save, or to look at, which no browser may run or keep (OWASP File Upload cheat sheet)."""
    response = send_file(
        file,
        mimetype=submission.content_type,
        as_attachment=as_attachment,
        download_name=submission.filename,
        etag=submission.sha256,
        conditional=False,  # of a file without a name it cannot tell the size, which a range needs
    )
    # One range of bytes is served; any other, or one of what the client has already, is ignored (RFC 9110, 14.2).
    wanted = request.range if request.method == "GET" and not request.if_none_match else None
    one = wanted is not None and wanted.units == "bytes" and len(wanted.ranges) == 1
    if one:  # the server's own wrapper cannot seek, and would read all that comes before
        response.response = FileWrapper(file)
    response.content_length, response.accept_ranges = submission.size, "bytes"
    try:
        response.make_conditional(request, accept_ranges=one, complete_length=submission.size)
    except RequestedRangeNotSatisfiable:
        file.close()
        raise
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; frame-ancestors 'self'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
