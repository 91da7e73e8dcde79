"""The whole database as one file: SQLite by its backup API, PostgreSQL by its own tools."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from ..errors import Unavailable
from ..extensions import db, is_pooled
from ..models import Submission


def snapshot() -> Connection:
    """Connect so that all that is read, by `write` too, is of one moment; nobody who writes waits for it."""
    connection = db.engine.connect()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        connection.execute(select(Submission.id).limit(1))  # the moment is that of the first read
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ")


def write(connection: Connection, path: Path) -> None:
    """Write the database as this snapshot sees it."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        with closing(sqlite3.connect(path)) as copy:
            driver.backup(copy)
    else:
        moment = connection.scalar(select(func.pg_export_snapshot()))
        _run(driver, "pg_dump", "--format=custom", f"--snapshot={moment}", f"--file={path}")


def load(path: Path) -> None:
    """Take the place of the database's content, whole or not at all."""
    with closing(db.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        if db.engine.dialect.name == "sqlite":
            with closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
            ) as copy:
                copy.backup(driver)
        else:
            _run(
                driver,
                "pg_restore",
                "--clean",
                "--if-exists",
                "--no-owner",
                "--single-transaction",
                str(path),
            )


def _run(driver: Any, tool: str, *arguments: str) -> None:
    if is_pooled(driver):  # the tools leave an empty search_path behind, which breaks the site
        raise Unavailable("tool_pooled", tool=tool)
    # psycopg's default, which tools before PostgreSQL 16 do not know.
    place = driver.info.dsn.replace("sslcertmode=allow", "")
    try:
        # The password stays out of the command line, which everybody on this machine can read.
        subprocess.run(  # noqa: S603  # no shell, and nothing that a stranger typed
            [tool, f"--dbname={place}", *arguments],
            env={**os.environ, "PGPASSWORD": driver.info.password},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise Unavailable("tool_missing", tool=tool) from error
    except subprocess.CalledProcessError as error:
        raise Unavailable("tool_failed", tool=tool, words=" ".join(error.stderr.split())) from error
