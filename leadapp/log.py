"""The current request id, and the formats of the log: JSON for machines, short for a terminal."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger("leadapp")
# Warnings of these packages are logged too.
OTHERS = ("alembic", "flask-limiter", "flask_migrate", "sqlalchemy")


class JSONLines(logging.Formatter):
    """One JSON object per line, so that no logged text can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, the request id and the facts given as `extra={"facts": ...}`."""
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": message(record),
            "request_id": request_id.get(),
        }
        line.update(facts(record))
        if record.exc_info:
            line["traceback"] = stack(record)
        return json.dumps(line, default=str)


class Terminal(logging.Formatter):
    """A short line with the same facts, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback if there is one."""
        at = datetime.fromtimestamp(record.created)
        line = f"{at:%H:%M:%S} {record.levelname.lower()} {message(record)}"
        for name, value in facts(record).items():
            line += f" {name}={value}"
        if record.exc_info:
            line += f"\n{stack(record)}"
        return line


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return the facts of a record, which were given as `extra={"facts": ...}`."""
    given: dict[str, Any] = getattr(record, "facts", {})
    return given


def message(record: logging.LogRecord) -> str:
    """Return the message of a record.

    If the record has an exception, the arguments are not filled in: gunicorn's argument is the
    path, which may contain a token.
    """
    if record.exc_info:
        return str(record.msg)
    return record.getMessage()


def stack(record: logging.LogRecord) -> str:
    """Return a traceback without the exception's message, which could contain a person's input."""
    if not record.exc_info:
        return ""
    kind, _message, frames = record.exc_info
    lines = traceback.format_tb(frames)
    if kind:
        lines.append(kind.__name__)
    return "".join(lines)


def formatter() -> logging.Formatter:
    """Return the short format if standard error is a terminal, otherwise the JSON format."""
    if sys.stderr.isatty():
        return Terminal()
    return JSONLines()


def configure(level: str) -> None:
    """Write the log of the application and the warnings of other packages to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logger.setLevel(level)
    logger.handlers[:] = [handler]
    for name in OTHERS:
        logging.getLogger(name).handlers[:] = [handler]
