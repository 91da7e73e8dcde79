"""A running site for tests: the server, its mail server, its rows."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask_migrate
import httpx
from sqlalchemy import Connection, create_engine, func, select, update

from leadapp import create_app
from leadapp.accounts import registration
from leadapp.extensions import db
from leadapp.models.accounts import Login, User
from leadapp.models.letters import Letter
from leadapp.resumes import store
from tests.servers import ROOT, Gunicorn, MailServer
from tests.servers.ports import HOST

KEPT = (User.__table__, Login.__table__)


@dataclass(frozen=True)
class Site:
    """gunicorn, and the SMTP server that receives its e-mail."""

    server: Gunicorn
    smtp: MailServer

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return self.server.url

    def client(self) -> httpx.Client:
        """Return a client with its own cookies; close it, or use it in `with`."""
        return httpx.Client(base_url=self.url, timeout=30)

    def connect(self, timeout: float = 10) -> socket.socket:
        """Open a connection for raw bytes; use it in `with`."""
        return socket.create_connection((HOST, self.server.port), timeout=timeout)

    @contextmanager
    def application(self) -> Iterator[None]:
        """Enter the site's application in this process.

        This replaces a `flask` command, which takes a second to start.
        """
        with create_app(self.server.settings).app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()

    def migrate(self) -> None:
        """Upgrade the database to the newest migration."""
        with self.application():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))

    def create_user(self, username: str, password: str) -> None:
        """Create an active attorney."""
        with self.application():
            registration.create(username, f"{username}@example.com", password)

    def token(self, username: str, password: str) -> str:
        """Return an access token from the API's sign-in."""
        with self.client() as client:
            fields = {"username": username, "password": password}
            answer = client.post("/api/v1/auth/login", data=fields)
        return str(answer.raise_for_status().json()["access_token"])

    @property
    def store(self) -> Any:
        """The storage of the running site, folder or bucket."""
        folder = self.server.instance / "uploads" / "resumes"
        settings: dict[str, Any] = {"UPLOAD_DIR": folder}
        for key in ("STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            settings[key] = self.server.settings.get(key, "")
        return store.make(settings)

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """Open a separate transaction in the database of the running site."""
        engine = create_engine(self.server.database_url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def hurry(self, claimed: bool = False) -> None:
        """Set pending e-mails due now.

        `claimed` includes e-mails that a process claimed and then died.
        """
        waiting = update(Letter).where(Letter.next_at.is_not(None))
        if not claimed:
            waiting = waiting.where(Letter.token.is_(None))
        with self.database() as connection:
            connection.execute(waiting.values(next_at=datetime.now(UTC)))

    def empty(self) -> None:
        """Delete every row except users and logins, and reset the mail server."""
        # An e-mail that is still being sent would arrive during the next test.
        for _ in range(100):
            with self.database() as connection:
                connection.execute(
                    update(Letter).where(Letter.token.is_(None)).values(next_at=None)
                )
                if connection.scalar(select(func.count(Letter.token))) == 0:
                    break
            time.sleep(0.03)
        with self.database() as connection:
            for table in reversed(db.metadata.sorted_tables):
                if table not in KEPT:
                    connection.execute(table.delete())
        self.smtp.reset()
        self.smtp.start()

    def close(self) -> None:
        """Stop both servers."""
        self.server.close()
        self.smtp.close()
