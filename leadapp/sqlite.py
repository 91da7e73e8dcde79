"""SQLite's pragmas and the queue of its writers."""

import fcntl
import os
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

SQLITE_WAITS = 10  # seconds to wait for another writer


def set_pragmas(connection: sqlite3.Connection) -> None:
    """Set the pragmas of a new connection."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Otherwise, the journal for undoing one statement is a new file in /var/tmp each time.
    connection.execute("PRAGMA temp_store=MEMORY")


# In SQLite, waiting writers sleep and retry, so some starve for seconds. A lock file makes them
# take turns.
@event.listens_for(Engine, "before_cursor_execute")
def _wait_for_turn(
    connection: Connection, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    driver = connection.connection.dbapi_connection
    if isinstance(driver, sqlite3.Connection) and context.is_crud and "turn" not in connection.info:
        # No O_TRUNC: truncating even an empty file writes to the file system's journal each time.
        connection.info["turn"] = os.open(
            f"{connection.engine.url.database}.lock", os.O_RDWR | os.O_CREAT, 0o666
        )
        fcntl.flock(connection.info["turn"], fcntl.LOCK_EX)


@event.listens_for(Engine, "checkin")
def _end_turn(_driver: Any, record: Any) -> None:
    if (turn := record.info.pop("turn", None)) is not None:
        os.close(turn)
