"""PostgreSQL: the options of its engine, its connections and transactions, and locks by name."""

import sqlite3
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) "
    "FROM unnest(CAST(:names AS text[])) AS name"
)
SET_UP = "SELECT set_config('DateStyle', 'ISO', false), pg_backend_pid()"
# The server may have closed a connection that was idle for longer. Asking the server before each
# request would make a JSON page a tenth more expensive.
ASK_AFTER_SECONDS = 5
# Keys in the info of a connection.
RETURNED_AT = "returned_at"
MAY_HAVE_WRITTEN = "may_have_written"


def engine_options() -> dict[str, Any]:
    """Return the options of a PostgreSQL engine.

    Two workers with 20 connections each stay under PostgreSQL's default limit of 100, even while a
    reload doubles the number of workers.
    """
    return {
        "pool_size": 20,
        "max_overflow": 0,
        "connect_args": {"client_encoding": "utf8"},  # the database may have another default
    }


# `Any`: a connection of psycopg, which is an optional package.
@event.listens_for(Engine, "connect")
def _set_up(connection: Any, _record: object) -> None:
    """Set the options that leadapp needs, because the database or role may have other defaults.

    psycopg can read times only in the ISO style.

    PgBouncer in transaction mode may run each transaction on another server connection, where a
    statement prepared earlier does not exist. So no statements are prepared through a pooler. A
    pooler invents the process id that it sends at connect, so it differs from the server's id.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    _, server_pid = connection.execute(SET_UP).fetchone()
    connection.commit()
    if server_pid != connection.info.backend_pid:
        connection.prepare_threshold = None


@event.listens_for(Engine, "checkin")
def _note_time(_driver: object, record: ConnectionPoolEntry) -> None:
    record.info[RETURNED_AT] = time.monotonic()


@event.listens_for(Engine, "checkout")
def _replace_if_closed(driver: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Replace a connection that was idle, if it no longer works.

    The pool then replaces all of its connections, and the request continues with a new one.
    """
    if isinstance(driver, sqlite3.Connection):
        return
    now = time.monotonic()
    if now - record.info.get(RETURNED_AT, now) < ASK_AFTER_SECONDS:
        return
    try:
        driver.execute("SELECT 1")
        driver.commit()
    except driver.OperationalError as error:
        raise InvalidatePoolError from error


@event.listens_for(Engine, "before_cursor_execute", named=True)
def _note_write(conn: Connection, context: DefaultExecutionContext, **_: object) -> None:
    """Note that the transaction may have written, unless the statement is surely a SELECT."""
    statement = context.invoked_statement
    if statement is None or not statement.is_select:
        conn.info[MAY_HAVE_WRITTEN] = True


@event.listens_for(Engine, "commit")
def _forget_write(connection: Connection) -> None:
    connection.info.pop(MAY_HAVE_WRITTEN, None)


@event.listens_for(Engine, "rollback")
def _commit_reads(connection: Connection) -> None:
    """Commit a transaction that only read. The ROLLBACK after this event then has no effect.

    Flask-SQLAlchemy ends each request with a rollback. On ROLLBACK, psycopg discards all prepared
    statements of the connection, and preparing them again costs a third of a JSON page.
    """
    if connection.invalidated or connection.dialect.name != "postgresql":
        return
    may_have_written = connection.info.pop(MAY_HAVE_WRITTEN, False)
    driver: Any = connection.connection.driver_connection
    if not may_have_written and not driver.closed:
        with suppress(driver.Error):  # the ROLLBACK fails, too, and SQLAlchemy handles its error
            driver.commit()


def is_pooled(driver: Any) -> bool:
    """Return whether a database connection goes through a pooler such as PgBouncer."""
    if isinstance(driver, sqlite3.Connection):
        return False
    return driver.prepare_threshold is None


def lock_until_commit(connection: Connection, *names: str) -> None:
    """Lock names until the commit.

    Callers must pass the names in the same order, because another order can deadlock. Only
    PostgreSQL needs the lock: on SQLite, a transaction that has written is the only writer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK, {"names": list(names)})
