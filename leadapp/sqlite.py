"""SQLite: the options of its engine, the pragmas, and the queue of its writers."""

import fcntl
import os
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_WAITS = 10  # seconds to wait for another writer
TURN = "turn"  # the key under which a connection's info holds its open lock file

PRAGMAS = [
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    # Otherwise, the journal for undoing one statement is a new file in /var/tmp each time.
    "PRAGMA temp_store=MEMORY",
]


def engine_options() -> dict[str, Any]:
    """Return the options of an SQLite engine.

    The driver sends BEGIN IMMEDIATE before the first write. So no transaction starts as a reader
    and then fails because another one has written in the meantime.
    """
    return {
        "pool_size": 128,  # one for each thread of a worker
        "connect_args": {"isolation_level": "IMMEDIATE", "timeout": SQLITE_WAITS},
    }


@event.listens_for(Engine, "connect")
def _set_pragmas(connection: object, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        for pragma in PRAGMAS:
            connection.execute(pragma)


@event.listens_for(Engine, "before_cursor_execute", named=True)
def _wait_for_turn(conn: Connection, context: DefaultExecutionContext, **_: object) -> None:
    """Lock a file before the first write of a connection.

    In SQLite, waiting writers sleep and retry, so some starve for seconds. The lock file makes them
    take turns.
    """
    driver = conn.connection.dbapi_connection
    if not isinstance(driver, sqlite3.Connection):
        return
    if not context.is_crud or TURN in conn.info:
        return
    # No O_TRUNC: truncating even an empty file writes to the file system's journal each time.
    path = f"{conn.engine.url.database}.lock"
    turn = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    conn.info[TURN] = turn
    fcntl.flock(turn, fcntl.LOCK_EX)


@event.listens_for(Engine, "checkin")
def _end_turn(_driver: object, record: ConnectionPoolEntry) -> None:
    turn = record.info.pop(TURN, None)
    if turn is not None:
        os.close(turn)
