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
        free = shutil.disk_usage(self.instance).free
        try:
            self.ballast.write_bytes(bytes(free - ROOM))
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
        self.pids = [server.pid]
        self.pids.extend(map(int, workers))

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
    database = f"sqlite:///{instance}/leads.db"
    server = Gunicorn(instance, database, smtp.port, DELIVERY="external", PYTHON=sys.executable)
    disk: type[Disk] = Limit
    server.command = ["sh", "-ec", SERVE]
    if _may_mount(instance):
        disk = Disk
        server.command = [*MOUNT, SMALL + SERVE]
    server.start()
    yield server, disk(server)
    server.close()


def _may_mount(instance: Path) -> bool:
    command = [*MOUNT, f"INSTANCE_PATH={instance}; {SMALL}"]
    return subprocess.run(command, check=False).returncode == 0


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
    for refused in answers:
        if refused.status != 201:
            assert refused.status == 503
            assert refused.code in ("storage_unavailable", "database_unavailable")
            assert refused.retry_after == "60"
    assert {answer.status for answer in answers[:full]} == {201}
    assert {answer.status for answer in answers[free:]} == {201}
    assert {answer.status for answer in answers[full:free]} >= {503}
    copy = tmp_path / "copy"
    shutil.copytree(disk.instance, copy)
    copied = Gunicorn(copy, f"sqlite:///{copy}/leads.db", smtp.port)
    found = stored(Site(copied, smtp))
    assert taken(answers).items() <= found.items()
    assert server.log().count("Booting worker") == 2, "it went on without a restart"
