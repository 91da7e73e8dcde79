"""The current request id, and the formats of the log: JSON for machines, short for a terminal."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger("leadapp")
# Warnings of these packages are logged too.
OTHERS = ("alembic", "flask-limiter", "flask_migrate", "sqlalchemy")


class JSONLines(logging.Formatter):
    """One JSON object per line, so that no logged text can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, the request id and the facts given as `extra={"facts": ...}`."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": words(record),
            "request_id": request_id.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = where(record)
        return json.dumps(line, default=str)


class Terminal(logging.Formatter):
    """A short line with the same facts, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and a traceback if there is one."""
        at = datetime.fromtimestamp(record.created)
        facts = "".join(f" {name}={value}" for name, value in getattr(record, "facts", {}).items())
        line = f"{at:%H:%M:%S} {record.levelname.lower()} {words(record)}{facts}"
        return f"{line}\n{where(record)}" if record.exc_info else line


def words(record: logging.LogRecord) -> str:
    """Return the message of a record.

    If the record has an exception, the arguments are not filled in: gunicorn's argument is the
    path, which may contain a token.
    """
    return str(record.msg) if record.exc_info else record.getMessage()


def where(record: logging.LogRecord) -> str:
    """Return a traceback without the exception's message, which could contain a person's input."""
    kind, _, frames = record.exc_info or (None, None, None)
    return "".join(traceback.format_tb(frames)) + (kind.__name__ if kind else "")


def formatter() -> logging.Formatter:
    """Return the short format if standard error is a terminal, otherwise the JSON format."""
    return Terminal() if sys.stderr.isatty() else JSONLines()


def configure(level: str) -> None:
    """Write the log of the application and the warnings of other packages to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logger.setLevel(level)
    for source in (logger, *map(logging.getLogger, OTHERS)):
        source.handlers[:] = [handler]
