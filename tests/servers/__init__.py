"""Real servers for the tests, all on this machine only: SMTP, PostgreSQL and the application under gunicorn."""

from tests.servers.gunicorn import ROOT, Gunicorn
from tests.servers.mail import MailServer, Received
from tests.servers.ports import free_port
from tests.servers.postgres import Postgres

__all__ = ["ROOT", "Gunicorn", "MailServer", "Postgres", "Received", "free_port"]
