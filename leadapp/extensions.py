"""The extensions, created unbound; create_app binds them."""

import fcntl
import logging
import os
import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Connection, Engine, MetaData, event, text

from .log import logger
from .network import network_key

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) "
    "FROM unnest(CAST(:names AS text[])) AS name"
)
SQLITE_WAITS = 10  # seconds for whoever writes at the moment

db = SQLAlchemy(
    metadata=MetaData(naming_convention=NAMING), session_options={"expire_on_commit": False}
)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
mail = Mail()

# The two doors that anybody may knock at.
DOORS = {"public.submit_lead", "api.leads.submit_lead"}
# In bytes. Only a multipart form to one of the doors may be larger.
BODY_MAX = 64 * 1024
COUNTED = DOORS | {"auth.forgot", "api.auth.register"}
limiter = Limiter(
    lambda: network_key("limit", request.remote_addr or ""),
    application_limits=["60 per minute", "600 per day"],
    application_limits_exempt_when=lambda: (
        request.method != "POST" or request.endpoint not in COUNTED
    ),
    in_memory_fallback_enabled=True,  # limits that cannot be counted may not turn people away
    swallow_errors=True,  # nor may those that find Redis gone at the same instant as another
    storage_options={"socket_timeout": 1, "socket_connect_timeout": 1},
)
limiter.logger = logger.getChild("limits")
# Only the warning "unreachable", which is written once: others name addresses.
limiter.logger.addFilter(lambda record: record.levelno == logging.WARNING)


def init_app(app: Flask) -> None:
    """Bind every extension to the application."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(app.config["SQLALCHEMY_DATABASE_URI"])
    db.init_app(app)
    migrate.init_app(app, db, directory=str(Path(app.root_path).parent / "migrations"))
    login_manager.init_app(app)
    limiter.init_app(app)  # before csrf, which reads the whole body
    csrf.init_app(app)
    mail.init_app(app)


def lock_until_commit(*names: str) -> None:
    """Lock names until the commit; callers pass them in the same order, so that none deadlocks.

    PostgreSQL alone needs the lock: on SQLite a transaction that has written is the only writer.
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK, {"names": list(names)})


def _engine_options(url: str) -> dict[str, Any]:
    # Values of a failed statement are personal data: they may not reach a log.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": 5}
    if url.startswith("sqlite"):
        # The driver opens BEGIN IMMEDIATE before the first write, so no read can turn into a lost race.
        return options | {
            "pool_size": 64,
            "connect_args": {"isolation_level": "IMMEDIATE", "timeout": SQLITE_WAITS},
        }
    # Two workers of 40 stay under PostgreSQL's usual 100 connections.
    return options | {
        "pool_size": 20,
        "max_overflow": 20,
        "pool_pre_ping": True,
        "connect_args": {"client_encoding": "utf8"},  # the database may have another default
    }


@event.listens_for(Engine, "connect")
def _set_up(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        _set_up_sqlite(connection)
    else:
        _set_up_postgres(connection)


def _set_up_sqlite(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Else undoing one statement costs a file in /var/tmp each time.
    connection.execute("PRAGMA temp_store=MEMORY")


def _set_up_postgres(connection: Any) -> None:
    """Set what leadapp relies on, because the database or the role may have other defaults.

    psycopg reads times in the ISO style only. PgBouncer in transaction mode may run each
    transaction on another server connection, where a statement prepared earlier does not exist.
    A pooler makes up the process id that it sends at connect, so the server's own id differs.
    """
    settings = "SELECT set_config('DateStyle', 'ISO', false), pg_backend_pid()"
    _, server_pid = connection.execute(settings).fetchone()
    connection.commit()
    if server_pid != connection.info.backend_pid:
        connection.prepare_threshold = None


def is_pooled(driver: Any) -> bool:
    """Return whether a database connection goes through a pooler such as PgBouncer."""
    return not isinstance(driver, sqlite3.Connection) and driver.prepare_threshold is None


# SQLite lets writers that wait sleep and try again, so that some starve for seconds: they take turns by a lock file.
@event.listens_for(Engine, "before_cursor_execute")
def _wait_for_turn(
    connection: Connection, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
) -> None:
    driver = connection.connection.dbapi_connection
    if isinstance(driver, sqlite3.Connection) and context.is_crud and "turn" not in connection.info:
        # Opened as it is: to empty it, empty though it is, goes into the file system's journal each time.
        connection.info["turn"] = os.open(
            f"{connection.engine.url.database}.lock", os.O_RDWR | os.O_CREAT, 0o666
        )
        fcntl.flock(connection.info["turn"], fcntl.LOCK_EX)


@event.listens_for(Engine, "checkin")
def _end_turn(_driver: Any, record: Any) -> None:
    if (turn := record.info.pop("turn", None)) is not None:
        os.close(turn)
