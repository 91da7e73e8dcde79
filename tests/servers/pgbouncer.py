"""Debian's PgBouncer in transaction mode, in front of the PostgreSQL of the tests."""

import os
import pwd
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.servers.ports import HOST, free_port
from tests.servers.program import Program

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


class PgBouncer(Program):
    """Starts at once; `url` leads through it to the database of `database_url`."""

    def __init__(self, database_url: str) -> None:
        super().__init__("pgbouncer")
        parts = urlsplit(database_url)
        database = parts.path.strip("/")
        [socket] = parse_qs(parts.query)["host"]
        port = free_port()
        self.url = f"postgresql://postgres@{HOST}:{port}/{database}"
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            CONFIGURATION.format(database=database, socket=socket, host=HOST, port=port)
        )
        arguments = [str(settings)]
        # PgBouncer refuses to run as root.
        if os.getuid() == 0:
            # The user with access to PostgreSQL's folder.
            owner = Path(socket).stat().st_uid
            os.chown(self.folder, owner, -1)
            arguments += ["--user", pwd.getpwuid(owner).pw_name]
        self.start(port, *arguments)
