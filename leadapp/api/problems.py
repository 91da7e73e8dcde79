"""An example of each problem that the API returns, for its documents."""

from functools import cache
from http import HTTPStatus
from typing import Any

from flask import current_app

from ..codes import Code
from ..errors import Message
from ..formatting import filesize
from ..http.readers import PAGE_MAX, SIZE_MAX
from ..http.request import BODY_MAX
from ..leads.search import ORDERS
from ..validation import EMAIL_MAX, NAME_MAX
from .contract import failures_of, refusals_of

Json = dict[str, Any]


@cache
def examples(base_url: str, max_file_size: int) -> dict[str, Json]:
    """Return an example of each problem and refusal by its code, ordered by status."""
    known = _documented_codes()
    codes = [code for code in Code if code in known]
    codes.sort(key=lambda code: code.status)
    return {code.key: _example(code, base_url, max_file_size) for code in codes}


def _documented_codes() -> set[Code]:
    # Flask can return the status of any HTTP error.
    codes = {code for code in Code if code.name.startswith("HTTP_")}
    for endpoint, view in current_app.view_functions.items():
        if endpoint.startswith("api."):
            codes.update(failures_of(view))
            for refused in refusals_of(view).values():
                codes.update(refused)
    return codes


def _example(code: Code, base_url: str, max_file_size: int) -> Json:
    return {
        "type": f"{base_url}/redoc#{code.key}",
        "title": HTTPStatus(code.status).phrase,
        "status": code.status,
        "detail": str(_message(code, max_file_size)),
        "instance": "urn:request:5f0c2a9e",
        "code": code.key,
    }


def _message(code: Code, max_file_size: int) -> Message:
    """Return the message of a code with examples of its facts."""
    limits: dict[Code, object] = {
        Code.EMAIL_TOO_LONG: EMAIL_MAX,
        Code.PAGE_NUMBER: PAGE_MAX,
        Code.PAGE_SIZE: SIZE_MAX,
        Code.RESUME_TOO_LARGE: filesize(max_file_size),
        Code.HTTP_413: filesize(max_file_size),
        Code.BODY_TOO_LARGE: filesize(BODY_MAX),
    }
    return Message(
        code,
        limit=limits.get(code, NAME_MAX),
        choices=", ".join(ORDERS),
        wait="5 min",
        filename="cv.doc",
        kind="DOCX",
        renamed="cv.docx",
    )
