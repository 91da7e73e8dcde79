"""The application in production: gunicorn with one instance folder and one database."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

from tests.servers.ports import HOST, free_port, listens
from tests.servers.processes import Process

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "a secret of the tests, long enough for any check"
FIRM_EMAIL = "attorney@example.com"


class Gunicorn:
    """`gunicorn wsgi:app` at `url`; `settings` override the environment set here."""

    def __init__(self, instance: Path, database_url: str, smtp_port: int, **settings: str) -> None:
        self.instance = instance
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.settings = {
            "INSTANCE_PATH": str(instance),
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(smtp_port),
            "SMTP_FROM_EMAIL": "intake@example.com",
            "ATTORNEY_EMAIL": FIRM_EMAIL,
            "RATELIMIT_ENABLED": "false",
            "BASE_URL": self.url,
            "HOST": HOST,
            "PORT": str(self.port),
        }
        self.settings.update(settings)
        self.command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        self.database_url = self.settings["DATABASE_URL"]
        self._log = instance.with_name(f"{instance.name}.log")
        self._process: subprocess.Popen[bytes] | None = None

    def flask(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a `flask` command with the same settings and wait for its end."""
        return self._run("flask", *arguments, stdin=stdin)

    def refuse(self, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run gunicorn where it cannot start, and return the result.

        `folder` must contain a gunicorn.conf.py.
        """
        return self._run("gunicorn", "wsgi:app", folder=folder)

    def _run(
        self, *arguments: str, stdin: str = "", folder: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m"]
        command.extend(arguments)
        return subprocess.run(
            command,
            cwd=folder,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run_flask(self, *arguments: str) -> Process:
        """Start a `flask` command that runs until it is stopped; use it in `with`."""
        command = [sys.executable, "-m", "flask"]
        command.extend(arguments)
        return Process(command, cwd=ROOT, env=self._environment())

    def start(self, timeout: float = 30) -> None:
        """Start on the same port, instance and database as before.

        Returns when `/health` answers.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + timeout
        while not self._healthy():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"gunicorn did not come up:\n{self.log()}")
            time.sleep(0.05)

    def stop(self, timeout: float = 40) -> int:
        """Send SIGTERM, wait until requests in progress are finished, and return the exit code."""
        process = self._running()
        process.terminate()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"gunicorn did not end in {timeout} s:\n{self.log()}") from None
        self._process = None
        return code

    def kill(self) -> None:
        """Kill master and workers at once (SIGKILL), as a power failure does."""
        process = self._running()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None
        # The workers are not our children. The port closes when the last one has exited.
        while listens(self.port):
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        """The process id of the master."""
        return self._running().pid

    def workers(self) -> list[int]:
        """Return the process ids of the workers, of which one may deliver the e-mails."""
        return [int(pid) for pid in _children(self.pid)]

    def deliverers(self) -> list[int]:
        """Return the process ids of all running processes that said that they deliver."""
        pids = re.findall(r"Delivering e-mails with pid: (\d+)", self.log())
        return [int(pid) for pid in pids if Path(f"/proc/{pid}/exe").exists()]

    def close(self) -> None:
        """Stop the server if it runs."""
        if self._process is not None:
            self.stop()

    def log(self) -> str:
        """Return the standard output and error of all starts."""
        if not self._log.exists():
            return ""
        return self._log.read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        environment.update(FLASK_SKIP_DOTENV="1", FLASK_APP="leadapp")
        environment.update(self.settings)
        return environment

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "gunicorn is not running"
        return self._process

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).is_success
        except httpx.TransportError:
            return False


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
