"""A resume on its way to an attorney."""

from typing import IO

from flask import Response, send_file

from .models import Submission


def attachment(submission: Submission, file: IO[bytes]) -> Response:
    """Answer with a resume to save, which no browser may run or keep (OWASP File Upload cheat sheet)."""
    response = send_file(
        file,
        mimetype=submission.content_type,
        as_attachment=True,
        download_name=submission.filename,
        etag=submission.sha256,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'self'"
    response.headers["Cache-Control"] = "no-store"
    return response
