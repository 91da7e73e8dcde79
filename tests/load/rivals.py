"""The servers that are compared, each with its own processes, folder and database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import bcrypt
import psycopg
from sqlalchemy import create_engine, insert

from tests.load import limit, limit_rows, processes
from tests.servers import ROOT, free_port
from tests.servers.ports import HOST, listens

SECRET_KEY = "a secret of the benchmark, long enough for any check"
USER, PASSWORD = "ana", "Counsel4You"
GUNICORN = (sys.executable, "-m", "gunicorn")
# Neither command imports the package `tests`, because that import clears the settings in the
# environment.
LIMIT = (*GUNICORN, "--pythonpath", "tests/load", "limit:app")
UVICORN = (sys.executable, "-m", "uvicorn", "--app-dir", "tests/load")


class Rival:
    """A server that `command` starts on a free port.

    Its processor time includes that of its PostgreSQL server, if it uses one.
    """

    def __init__(
        self, name: str, folder: Path, database_url: str, command: tuple[str, ...], **settings: str
    ) -> None:
        self.name = name
        self.folder = folder
        self.database_url = database_url
        self.has_pages = name == "leadapp"
        self.has_accounts = name in ("leadapp", "peer")
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.uploads = folder / "uploads"
        self.uploads.mkdir(parents=True)
        self.command = [part.replace("{port}", str(self.port)) for part in command]
        self.settings = {
            "FLASK_SKIP_DOTENV": "1",
            "INSTANCE_PATH": str(folder),
            "UPLOAD_DIR": str(self.uploads),
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            "DELIVERY": "external",
            "RATELIMIT_ENABLED": "false",  # all requests come from one address
            "BASE_URL": self.url,
            "HOST": HOST,
            "PORT": str(self.port),
        }
        self.settings.update(settings)
        if "SMTP_HOST" in settings:
            # Deliver e-mails as `make run` does.
            del self.settings["DELIVERY"]

    def start(self) -> "Rival":
        """Start the server; return when it listens."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not listens(self.port):
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"{self.name} did not start:\n{(self.folder / 'log').read_text()}"
                )
            time.sleep(0.05)
        self.roots = [self._process.pid]
        self.roots.extend(_postmaster(self.database_url))
        return self

    def stop(self) -> None:
        """Stop the server and wait; kill it if it takes longer than 30 seconds."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)

    def cpu_seconds(self) -> float:
        """Return the processor time used so far."""
        return sum(map(processes.cpu_seconds, self.roots))

    def resident(self) -> float:
        """Return the RSS of its own processes, in MB, without the database server."""
        return processes.resident(self.roots[0])

    def proportional(self) -> float:
        """Return the PSS of its own processes, in MB, without the database server."""
        return processes.proportional(self.roots[0])

    def written(self) -> float:
        """Return the MB it has written to disk."""
        return sum(map(processes.written, self.roots))


def product(folder: Path, database_url: str, **settings: str) -> Rival:
    """Leadapp as `make run` serves it, with its tables and one attorney."""
    rival = Rival("leadapp", folder, database_url, (*GUNICORN, "wsgi:app"), **settings)
    flask(rival, "db", "upgrade")
    flask(
        rival,
        "create-user",
        "--username",
        USER,
        "--email",
        "ana@example.com",
        "--password-file",
        "-",
    )
    return rival


def flask(rival: Rival, *arguments: str, accepted: tuple[int, ...] = (0,)) -> None:
    """Run a leadapp command with the rival's settings and the attorney's password on its input.

    Raises RuntimeError unless it exits with an accepted code.
    """
    command = [sys.executable, "-m", "flask"]
    command.extend(arguments)
    environment = os.environ | rival.settings
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=PASSWORD,
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode not in accepted:
        raise RuntimeError(f"flask {arguments}: {done.stderr}")


def bare(folder: Path, database_url: str) -> Rival:
    """The limit, under leadapp's gunicorn configuration."""
    rival = Rival("limit", folder, database_url, LIMIT)
    connection = limit.connect(database_url)
    connection.execute(limit.TABLE)
    connection.execute(limit.INDEX)
    connection.close()
    return rival


def bare_with_rows(folder: Path, database_url: str, statements: str) -> Rival:
    """The limit that writes leadapp's rows and indexes, by these statements."""
    rival = Rival(
        "limit with rows", folder, database_url, LIMIT, ROWS=str(folder / "statements.json")
    )
    (folder / "statements.json").write_text(statements)
    limit_rows.create_tables(database_url)
    return rival


def peer(folder: Path, database_url: str, **settings: str) -> Rival:
    """The FastAPI peer, with its tables and the same attorney."""
    # Only the benchmark's environment has FastAPI.
    from tests.load.peer import tables  # noqa: PLC0415

    command = (*UVICORN, "--port", "{port}", "--workers", "2", "peer.app:app")
    rival = Rival("peer", folder, database_url, command, **settings)
    engine = create_engine(database_url)
    tables.Base.metadata.create_all(engine)
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12)).decode()
    with engine.begin() as connection:
        connection.execute(insert(tables.User), [{"username": USER, "hashed_password": hashed}])
    engine.dispose()
    return rival


def _postmaster(database_url: str) -> list[int]:
    """Return the first process of a PostgreSQL server; empty for SQLite."""
    if not database_url.startswith("postgresql"):
        return []
    with psycopg.connect(database_url) as connection:
        folder = connection.execute("SHOW data_directory").fetchone()
    lines = Path(str(folder and folder[0]), "postmaster.pid").read_text().split()
    return [int(lines[0])]
