"""Debian's PgBouncer in transaction mode, in front of the PostgreSQL of the tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.servers.ports import HOST, free_port, listens

# Debian installs PgBouncer there, and few users have it in their PATH.
PATH = f"{os.environ['PATH']}:/usr/sbin"
CONFIGURATION = """\
[databases]
{database} = host={socket} dbname={database} user=postgres

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""


class PgBouncer:
    """Starts at once; `url` leads through it to the database of `database_url`."""

    def __init__(self, database_url: str) -> None:
        parts = urlsplit(database_url)
        database = parts.path.strip("/")
        [socket] = parse_qs(parts.query)["host"]
        port = free_port()
        self.url = f"postgresql://postgres@{HOST}:{port}/{database}"
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer"))
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            CONFIGURATION.format(database=database, socket=socket, host=HOST, port=port)
        )
        program = shutil.which("pgbouncer", path=PATH)
        assert program, "The tests need PgBouncer: apt-get install pgbouncer"
        command = [program, str(settings)]
        # PgBouncer refuses to run as root.
        if os.getuid() == 0:
            # The user with access to PostgreSQL's folder.
            owner = Path(socket).stat().st_uid
            os.chown(self._folder, owner, -1)
            command += ["--user", pwd.getpwuid(owner).pw_name]
        log = self._folder / "log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, stdout=file, stderr=file)
        while not listens(port):
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.02)

    def close(self) -> None:
        """Stop PgBouncer and remove its folder."""
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder)
