"""The disk is full while clients submit: each is told so, nothing is half done, and it goes on when there is room."""

import errno
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.crowd import CLIENTS, crowd, stored, taken
from tests.servers import Gunicorn, MailServer
from tests.site import Site

SECONDS = 1.5  # each before and after
# In a name space of its own, which needs no rights, the server has an instance of 8 MB that goes away with it.
MOUNT = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]
SMALL = 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$INSTANCE_PATH"; '
SERVE = '"$PYTHON" -m flask db upgrade; exec "$PYTHON" -m gunicorn wsgi:app'
ROOM = 200_000


class Disk:
    """Where the server's instance lies, as the server sees it."""

    def __init__(self, server: Gunicorn) -> None:
        self.instance = Path(f"/proc/{server.pid}/root{server.instance}")
        self.ballast = self.instance / "ballast"

    def fill(self) -> None:
        """Leave room for a few files only."""
        try:
            self.ballast.write_bytes(bytes(shutil.disk_usage(self.instance).free - ROOM))
        except OSError as error:
            if error.errno != errno.ENOSPC:  # the clients took the room in the meantime
                raise

    def free(self) -> None:
        """Make room again."""
        self.ballast.unlink()


class Limit(Disk):
    """For machines where nothing may be mounted: the kernel lets the server write no file of more than 16 KB."""

    def __init__(self, server: Gunicorn) -> None:
        super().__init__(server)
        workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        self.pids = [server.pid, *map(int, workers)]

    def fill(self) -> None:
        self._limit(16 * 1024)

    def free(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        for pid in self.pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def small(tmp_path: Path, smtp: MailServer) -> Iterator[tuple[Gunicorn, Disk]]:
    """A server, and its disk that may be filled."""
    instance = tmp_path / "instance"
    instance.mkdir()
    database, python = f"sqlite:///{instance}/leads.db", {"PYTHON": sys.executable}
    server = Gunicorn(instance, database, smtp.port, DELIVERY="external", **python)
    may_mount = (
        subprocess.run([*MOUNT, f"INSTANCE_PATH={instance}; {SMALL}"], check=False).returncode == 0
    )
    server.command = [*MOUNT, SMALL + SERVE] if may_mount else ["sh", "-ec", SERVE]
    server.start()
    yield server, (Disk if may_mount else Limit)(server)
    server.close()


def test_a_full_disk_is_told_and_used_again(
    small: tuple[Gunicorn, Disk], tmp_path: Path, smtp: MailServer, pytestconfig: pytest.Config
) -> None:
    server, disk = small
    with crowd(server.url) as answers:
        time.sleep(SECONDS)
        disk.fill()
        full = len(answers)
        time.sleep(pytestconfig.getoption("fault_seconds"))
        disk.free()
        free = len(answers) + CLIENTS  # who is being answered now
        time.sleep(SECONDS)
    refused = {
        (answer.status, answer.code, answer.retry_after)
        for answer in answers
        if answer.status != 201
    }
    assert refused <= {(503, f"{part}_unavailable", "60") for part in ("storage", "database")}
    assert (
        {answer.status for answer in answers[:full]}
        == {answer.status for answer in answers[free:]}
        == {201}
    )
    assert {answer.status for answer in answers[full:free]} >= {503}
    copy = tmp_path / "copy"
    shutil.copytree(disk.instance, copy)
    found = stored(Site(Gunicorn(copy, f"sqlite:///{copy}/leads.db", smtp.port), smtp))
    assert taken(answers).items() <= found.items()
    assert server.log().count("Booting worker") == 2, "it went on without a restart"
