"""The API's OpenAPI document: as JSON, in Swagger UI to try it out, and as a page to read."""

import json
from functools import partial
from importlib.resources import files
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, send_from_directory

from ..config import settings
from ..http.marks import public
from .openapi import build
from .problems import examples

bp = Blueprint("docs", __name__)
SWAGGER_UI = str(files("flask_swagger_ui") / "dist")


@bp.get("/openapi.json")
@public
def openapi() -> Response:
    """Return the document as JSON."""
    return jsonify(_document())


@bp.get("/docs")
@public
def try_out() -> str:
    """Show Swagger UI."""
    return render_template("docs/try_out.html")


@bp.get("/docs/<name>")
@public
def swagger_ui(name: str) -> Response:
    """Return a file of Swagger UI from the package flask_swagger_ui."""
    return send_from_directory(SWAGGER_UI, name)


@bp.get("/redoc")
@public
def read() -> str:
    """Show the whole document as a page."""
    known = examples(settings.BASE_URL, settings.MAX_FILE_SIZE)
    dumps = partial(json.dumps, ensure_ascii=False)
    return render_template("docs/read.html", document=_document(), problems=known, dumps=dumps)


def _document() -> dict[str, Any]:
    return build(settings.FIRM_NAME, settings.BASE_URL, settings.MAX_FILE_SIZE)
