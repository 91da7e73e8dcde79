"""The disk fills up while clients submit.

Each client gets a clear answer, nothing is left half done, and submissions work again when there is
room.
"""

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

# The time before the disk is full, and after.
SECONDS = 1.5
# The server runs in a separate mount namespace, which needs no privileges. Its instance folder is
# an 8 MB mount that disappears with it.
MOUNT = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]
SMALL = 'mount -t tmpfs -o size=8m,mode=700 tmpfs "$INSTANCE_PATH"; '
SERVE = '"$PYTHON" -m flask db upgrade; exec "$PYTHON" -m gunicorn wsgi:app'
ROOM = 200_000


class Disk:
    """The server's instance folder, as the server sees it."""

    def __init__(self, server: Gunicorn) -> None:
        self.instance = Path(f"/proc/{server.pid}/root{server.instance}")
        self.ballast = self.instance / "ballast"

    def fill(self) -> None:
        """Leave room for only a few files."""
        try:
            self.ballast.write_bytes(bytes(shutil.disk_usage(self.instance).free - ROOM))
        except OSError as error:
            # The clients used up the room in the meantime.
            if error.errno != errno.ENOSPC:
                raise

    def free(self) -> None:
        """Free the disk again."""
        self.ballast.unlink()


class Limit(Disk):
    """A substitute for machines that allow no mounts.

    The kernel limits each file that the server writes to 16 KB.
    """

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
    """A server, and its disk that a test can fill."""
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
        # Skip the requests in progress.
        free = len(answers) + CLIENTS
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
