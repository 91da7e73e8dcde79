"""The Flask extensions; create_app binds them to the application."""

import logging
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
from sqlalchemy import Engine, MetaData, event, text

from . import sqlite
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

db = SQLAlchemy(
    metadata=MetaData(naming_convention=NAMING), session_options={"expire_on_commit": False}
)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
mail = Mail()

# The two endpoints where anyone can submit a lead.
DOORS = {"public.submit_lead", "api.leads.submit_lead"}
# In bytes. Only a multipart form sent to one of DOORS may be larger.
BODY_MAX = 64 * 1024
COUNTED = DOORS | {"auth.forgot", "api.auth.register"}
limiter = Limiter(
    lambda: network_key("limit", request.remote_addr or ""),
    application_limits=["60 per minute", "600 per day"],
    application_limits_exempt_when=lambda: (
        request.method != "POST" or request.endpoint not in COUNTED
    ),
    # If the storage fails, count in memory, so that no one is turned away.
    in_memory_fallback_enabled=True,
    # Two requests may find Redis gone at the same moment. Accept both.
    swallow_errors=True,
    storage_options={"socket_timeout": 1, "socket_connect_timeout": 1},
)
limiter.logger = logger.getChild("limits")
# Log only the warning "storage unreachable", which is written once. Other messages contain
# client addresses.
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
    """Lock names until the commit.

    Callers must pass the names in the same order, because another order can deadlock. Only
    PostgreSQL needs the lock: on SQLite, a transaction that has written is the only writer.
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK, {"names": list(names)})


def _engine_options(url: str) -> dict[str, Any]:
    # The values of a failed statement may be personal data, which must not be logged.
    options: dict[str, Any] = {"hide_parameters": True, "pool_timeout": 5}
    if url.startswith("sqlite"):
        # The driver sends BEGIN IMMEDIATE before the first write. So no transaction starts as a
        # reader and then fails because another one has written in the meantime.
        return options | {
            "pool_size": 64,
            "connect_args": {"isolation_level": "IMMEDIATE", "timeout": sqlite.SQLITE_WAITS},
        }
    # Two workers with 40 connections each stay under PostgreSQL's default limit of 100.
    return options | {
        "pool_size": 20,
        "max_overflow": 20,
        "pool_pre_ping": True,
        "connect_args": {"client_encoding": "utf8"},  # the database may have another default
    }


@event.listens_for(Engine, "connect")
def _set_up(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        sqlite.set_pragmas(connection)
    else:
        _set_up_postgres(connection)


def _set_up_postgres(connection: Any) -> None:
    """Set the options that leadapp needs, because the database or role may have other defaults.

    psycopg can read times only in the ISO style. PgBouncer in transaction mode may run each
    transaction on another server connection, where a statement prepared earlier does not exist.
    A pooler invents the process id that it sends at connect, so it differs from the server's id.
    """
    settings = "SELECT set_config('DateStyle', 'ISO', false), pg_backend_pid()"
    _, server_pid = connection.execute(settings).fetchone()
    connection.commit()
    if server_pid != connection.info.backend_pid:
        connection.prepare_threshold = None


def is_pooled(driver: Any) -> bool:
    """Return whether a database connection goes through a pooler such as PgBouncer."""
    return not isinstance(driver, sqlite3.Connection) and driver.prepare_threshold is None
