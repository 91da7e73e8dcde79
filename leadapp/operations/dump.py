"""Dump the whole database to one compressed file.

SQLite is copied by its backup API, PostgreSQL by its own tools.
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from ..codes import Code
from ..errors import Unavailable
from ..extensions import db
from ..models.leads import Submission
from ..postgres import is_pooled

GZIP_MAGIC = b"\x1f\x8b"
# Level 6 takes twice the time, and saves 7 % of the space.
GZIP_LEVEL = 1
PIECE = 1024 * 1024


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
        _write_sqlite(driver, path)
    else:
        snapshot_id = connection.scalar(select(func.pg_export_snapshot()))
        _run(driver, "pg_dump", "--format=custom", f"--snapshot={snapshot_id}", f"--file={path}")


def load(path: Path) -> None:
    """Replace the whole content of the database with this dump, or change nothing."""
    with closing(db.engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        if db.engine.dialect.name == "sqlite":
            _load_sqlite(driver, path)
        else:
            options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
            _run(driver, "pg_restore", *options, str(path))


def _write_sqlite(driver: sqlite3.Connection, path: Path) -> None:
    """Write a compressed copy of the database. Its uncompressed copy is a temporary file."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as copy:
        with closing(sqlite3.connect(copy.name)) as connection:
            driver.backup(connection)
        with gzip.open(path, "wb", GZIP_LEVEL) as compressed:
            shutil.copyfileobj(copy, compressed, PIECE)


def _load_sqlite(driver: sqlite3.Connection, path: Path) -> None:
    """Replace the database with a dump; older dumps are not compressed."""
    with path.open("rb") as file:
        is_compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if not is_compressed:
        _copy_sqlite(path, driver)
        return
    # The folder of the database has room for it. The folder of the backup may be read-only.
    folder = Path(str(db.engine.url.database)).parent
    with tempfile.NamedTemporaryFile(dir=folder) as copy:
        with gzip.open(path, "rb") as compressed:
            shutil.copyfileobj(compressed, copy, PIECE)
        copy.flush()
        _copy_sqlite(Path(copy.name), driver)


def _copy_sqlite(path: Path, driver: sqlite3.Connection) -> None:
    """Copy a database file into this connection's database."""
    # Without "immutable", SQLite would create files beside it, and the folder may be read-only.
    uri = f"{path.absolute().as_uri()}?immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as copy:
        copy.backup(driver)


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
