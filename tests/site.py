"""A running site as a test holds it: the server, its mail server, its rows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import flask_migrate
import httpx
from sqlalchemy import Connection, create_engine, func, select, update

from leadapp import accounts, create_app, storage
from leadapp.extensions import db
from leadapp.models import Letter, Login, Tally, User
from tests.servers import ROOT, Gunicorn, MailServer

KEPT = (User.__table__, Login.__table__, Tally.__table__)


@dataclass(frozen=True)
class Site:
    """gunicorn and the SMTP server it writes to."""

    server: Gunicorn
    smtp: MailServer

    @property
    def url(self) -> str:
        """Where it answers, with no slash at the end."""
        return self.server.url

    def client(self) -> httpx.Client:
        """A client of its own cookies; close it, or use it in `with`."""
        return httpx.Client(base_url=self.url, timeout=30)

    @contextmanager
    def application(self) -> Iterator[None]:
        """The site's application in this process: what a `flask` command does, without its second of starting."""
        with create_app(self.server.settings).app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()

    def migrate(self) -> None:
        """Bring the database to the newest migration."""
        with self.application():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))

    def create_user(self, username: str, password: str) -> None:
        """Make an active attorney."""
        with self.application():
            accounts.create(username, f"{username}@example.com", password)

    def token(self, username: str, password: str) -> str:
        """An access token from the API's sign-in."""
        with self.client() as client:
            answer = client.post(
                "/api/v1/auth/login", data={"username": username, "password": password}
            )
        return str(answer.raise_for_status().json()["access_token"])

    @property
    def store(self) -> Any:
        """The storage of the running site, folder or bucket."""
        keys = ("STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        folder = self.server.instance / "uploads" / "resumes"
        return storage.make(
            {"UPLOAD_DIR": folder} | {key: self.server.settings.get(key, "") for key in keys}
        )

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """A transaction of the test's own beside the running site."""
        engine = create_engine(self.server.database_url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def hurry(self, claimed: bool = False) -> None:
        """Make waiting letters due now; with `claimed` also those whose deliverer died holding them."""
        waiting = (
            update(Letter).where(Letter.next_at.is_not(None)).values(next_at=datetime.now(UTC))
        )
        with self.database() as connection:
            connection.execute(waiting if claimed else waiting.where(Letter.token.is_(None)))

    def empty(self) -> None:
        """Remove every row but users and logins; forget all mail, and let the mail server behave well."""
        for _ in range(100):  # a letter on its way would come to the next test
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
        """Stop both."""
        self.server.close()
        self.smtp.close()
