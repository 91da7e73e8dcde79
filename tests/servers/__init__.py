"""Real servers for the tests, all on this machine.

SMTP, PostgreSQL, S3, Valkey, and the application under gunicorn.
"""

from functools import cached_property

from tests.servers.gunicorn import ROOT, Gunicorn
from tests.servers.mail import MailServer
from tests.servers.objects import ObjectStore
from tests.servers.pgbouncer import PgBouncer
from tests.servers.ports import free_port
from tests.servers.postgres import PROGRAMS, Postgres
from tests.servers.processes import Process
from tests.servers.received import Received
from tests.servers.valkey import Valkey

__all__ = [
    "PROGRAMS",
    "ROOT",
    "Gunicorn",
    "MailServer",
    "ObjectStore",
    "PgBouncer",
    "Postgres",
    "Process",
    "Received",
    "Servers",
    "Valkey",
    "free_port",
]


class Servers:
    """One server of each kind for the whole run, started when a test first needs it."""

    @cached_property
    def postgres(self) -> Postgres:
        return Postgres()

    @cached_property
    def objects(self) -> ObjectStore:
        return ObjectStore()

    @cached_property
    def valkey(self) -> Valkey:
        return Valkey()

    def close(self) -> None:
        """Stop the servers that were started."""
        for started in vars(self).values():
            started.close()
