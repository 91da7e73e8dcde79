"""The request id in force, and what a log line looks like: JSON for machines, short for a terminal."""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger("leadapp")
# Packages whose warnings are logged too.
OTHERS = ("alembic", "flask-limiter", "flask_migrate", "sqlalchemy")


class JSONLines(logging.Formatter):
    """One JSON object a line, so that nothing logged can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the message, the request id and the facts given as `extra={"facts": ...}`."""
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
    """The same facts for a person who watches."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and a traceback if there is one."""
        at = datetime.fromtimestamp(record.created)
        facts = "".join(f" {name}={value}" for name, value in getattr(record, "facts", {}).items())
        line = f"{at:%H:%M:%S} {record.levelname.lower()} {words(record)}{facts}"
        return f"{line}\n{where(record)}" if record.exc_info else line


def words(record: logging.LogRecord) -> str:
    """Give a message, of a fault its words alone: what gunicorn fills in is a path, and tokens with it."""
    return str(record.msg) if record.exc_info else record.getMessage()


def where(record: logging.LogRecord) -> str:
    """Write a traceback without the words of its exception, which could hold what somebody typed."""
    kind, _, frames = record.exc_info or (None, None, None)
    return "".join(traceback.format_tb(frames)) + (kind.__name__ if kind else "")


def formatter() -> logging.Formatter:
    """Choose how lines look by who reads them."""
    return Terminal() if sys.stderr.isatty() else JSONLines()


def configure(level: str) -> None:
    """Write the application's log to standard error, and what the packages below it have to say."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logger.setLevel(level)
    for source in (logger, *map(logging.getLogger, OTHERS)):
        source.handlers[:] = [handler]
