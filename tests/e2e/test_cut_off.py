"""An interrupted test run leaves no server, no folder and nothing that blocks another user."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests import RUN, watchdog
from tests.servers import ROOT, Process

START_ALL = """
import sys, time
from pathlib import Path
from playwright.sync_api import sync_playwright
from tests import RUN, browsers
from tests.servers import Gunicorn, MailServer, Servers
from tests.site import Site

servers = Servers()
servers.objects, servers.valkey
instance = RUN / "instance"
instance.mkdir()
smtp = MailServer()
site = Site(Gunicorn(instance, servers.postgres.new_database(), smtp.port), smtp)
site.migrate()
site.server.start()
delivering = site.server.run_flask("mail", "deliver")
browser = sync_playwright().start().chromium.launch(**browsers.quick())
print(RUN, flush=True)
time.sleep(600)
"""
SERVERS = {"postgres", "weed", "valkey-server", "gunicorn", "deliver", "chrom"}


def commands(folder: Path) -> str:
    running = watchdog.belonging_to(str(folder))
    return "\n".join(" ".join(process.cmdline()) for process in running)


def test_a_test_that_fails_does_not_wait_for_its_process() -> None:
    start = time.monotonic()
    with pytest.raises(AssertionError), Process(["sleep", "20"]):
        raise AssertionError
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_every_server_ends_with_the_process_that_started_it(number: signal.Signals) -> None:
    temporary = Path(tempfile.mkdtemp(dir=RUN))
    environment = dict(os.environ)
    environment["TMPDIR"] = str(temporary)
    with subprocess.Popen(
        [sys.executable, "-c", START_ALL],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        folder = Path(tests.stdout.readline().strip())
        running = commands(folder)
        for process in watchdog.belonging_to(str(folder)):
            process.terminate()
        tests.send_signal(number)
    assert {name for name in SERVERS if name not in running} == set()
    end = time.monotonic() + 20
    while folder.exists() or commands(folder):
        assert time.monotonic() < end, commands(folder)
        time.sleep(0.05)
    # Chromium's profiles have random names. Any other name would collide with a second user's.
    names = {path.name for path in temporary.iterdir()}
    left = {name for name in names if not name.startswith("playwright")}
    assert left == {f"leadapp-tests-{os.getuid()}.lock"}
