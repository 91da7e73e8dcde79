"""Runs migrations in one transaction, on one machine at a time."""

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from leadapp.models.columns import Base

LOCK = 7_362_195  # an arbitrary number that no other code locks in the database
FIRST_STATEMENT = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": f"SELECT pg_advisory_xact_lock({LOCK})",
}


def run() -> None:
    """Migrate over one connection; the first statement waits for any migration in progress."""
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transactional_ddl=True,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            connection.execute(text(FIRST_STATEMENT[connection.dialect.name]))
            context.run_migrations()


try:
    run()
except DatabaseError as error:
    # The database is locked, unreachable, read-only or not a database. Print one line and no
    # traceback.
    raise CommandError(f"the database cannot be used: {error.orig}") from error
except OSError as error:
    # Another user owns the lock file of SQLite.
    raise CommandError(f"{error.filename}: {error.strerror}") from error
