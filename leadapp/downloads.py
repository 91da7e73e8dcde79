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
    if request.range:  # the server's own wrapper cannot seek, and would read all that comes before
        response.response = FileWrapper(file)
    response.content_length = submission.size
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=submission.size)
    except RequestedRangeNotSatisfiable:
        file.close()
        raise
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'self'"
    response.headers["Cache-Control"] = "no-store"
    return response
