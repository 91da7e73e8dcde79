"""Dump the whole database to one file: SQLite by its backup API, PostgreSQL by its own tools."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from ..codes import Code
from ..errors import Unavailable
from ..extensions import db
from ..models.leads import Submission
from ..postgres import is_pooled


def snapshot() -> Connection:
    """Return a connection that reads a snapshot of the database; `write` dumps the same snapshot.

    Other connections can write without waiting for it.
    """
    connection = db.engine.connect()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        # SQLite takes the snapshot at the first read, not at BEGIN.
        connection.execute(select(Submission.id).limit(1))
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ")


def write(connection: Connection, path: Path) -> None:
    """Write the snapshot of this connection to a file."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        with closing(sqlite3.connect(path)) as copy:
            driver.backup(copy)
    else:
        snapshot_id = connection.scalar(select(func.pg_export_snapshot()))
        _run(driver, "pg_dump", "--format=custom", f"--snapshot={snapshot_id}", f"--file={path}")


def load(path: Path) -> None:
    """Replace the whole content of the database with this dump, or change nothing."""
    with closing(db.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        if db.engine.dialect.name == "sqlite":
            uri = f"{path.absolute().as_uri()}?immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as copy:
                copy.backup(driver)
        else:
            options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
            _run(driver, "pg_restore", *options, str(path))


def _run(driver: Any, tool: str, *arguments: str) -> None:
    # The tools set an empty search_path. A pooler would reuse that connection for the site and so
    # break the site.
    if is_pooled(driver):
        raise Unavailable(Code.TOOL_POOLED, tool=tool)
    # psycopg adds this option by default, but tools before PostgreSQL 16 do not know it.
    connection_string = driver.info.dsn.replace("sslcertmode=allow", "")
    command = [tool, f"--dbname={connection_string}", *arguments]
    # The password is not in the command line, because all users of this machine can read that.
    environment = dict(os.environ, PGPASSWORD=driver.info.password)
    try:
        # S603: no shell runs, and no argument comes from a client.
        subprocess.run(  # noqa: S603
            command, env=environment, check=True, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise Unavailable(Code.TOOL_MISSING, tool=tool) from error
    except subprocess.CalledProcessError as error:
        words = " ".join(error.stderr.split())
        raise Unavailable(Code.TOOL_FAILED, tool=tool, words=words) from error
