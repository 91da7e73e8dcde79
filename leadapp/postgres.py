"""PostgreSQL: the options of its engine, the set-up of a connection, and locks by name."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event, text

LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) "
    "FROM unnest(CAST(:names AS text[])) AS name"
)
SET_UP = "SELECT set_config('DateStyle', 'ISO', false), pg_backend_pid()"


def engine_options() -> dict[str, Any]:
    """Return the options of a PostgreSQL engine.

    Two workers with 20 connections each stay under PostgreSQL's default limit of 100, even while a
    reload doubles the number of workers.
    """
    return {
        "pool_size": 20,
        "max_overflow": 0,
        "pool_pre_ping": True,
        "connect_args": {"client_encoding": "utf8"},  # the database may have another default
    }


# `Any`: a connection of psycopg, which is an optional package.
@event.listens_for(Engine, "connect")
def _set_up(connection: Any, _record: object) -> None:
    """Set the options that leadapp needs, because the database or role may have other defaults.

    psycopg can read times only in the ISO style. PgBouncer in transaction mode may run each
    transaction on another server connection, where a statement prepared earlier does not exist.
    A pooler invents the process id that it sends at connect, so it differs from the server's id.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    _, server_pid = connection.execute(SET_UP).fetchone()
    connection.commit()
    if server_pid != connection.info.backend_pid:
        connection.prepare_threshold = None


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
