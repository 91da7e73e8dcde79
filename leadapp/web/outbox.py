"""The development outbox: e-mails that were written to files instead of being sent."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, render_template

from ..http.marks import public
from ..mail import smtp

bp = Blueprint("outbox", __name__, url_prefix="/dev")
NEWEST = 50


# This page exists only in development on loopback.
@bp.get("/outbox")
@public
def list_letters() -> str:
    """Show the newest e-mails in full."""
    files = sorted(smtp.outbox().glob("*.eml"), key=_modified_at, reverse=True)
    letters = [_read(file) for file in files[:NEWEST]]
    return render_template("outbox/list_letters.html", letters=letters)


def _modified_at(file: Path) -> float:
    return file.stat().st_mtime


def _read(file: Path) -> EmailMessage:
    return email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
