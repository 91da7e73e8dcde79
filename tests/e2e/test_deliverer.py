"""Gunicorn starts one process that delivers the e-mails, and ends it."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from leadapp.models.letters import Letter
from tests import samples
from tests.servers import Gunicorn
from tests.servers.ports import listens
from tests.site import Site


def submit(site: Site, name: str) -> None:
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": f"{name}@example.com"}
    answer = httpx.post(f"{site.url}/api/v1/leads", data=fields, files=samples.upload())
    assert answer.status_code == 201


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def wait_for_deliverer(server: Gunicorn, before: int = 0) -> int:
    """Return the process id of the only deliverer, once it is not `before`."""
    wait_until(lambda: server.deliverers() not in ([], [before]) and len(server.deliverers()) == 1)
    return server.deliverers()[0]


@pytest.fixture
def running(start_site: Callable[..., Site]) -> Site:
    site = start_site()
    wait_until(lambda: len(site.server.workers()) == 3)
    return site


def test_one_process_delivers_and_serves_no_requests(running: Site) -> None:
    deliverer = wait_for_deliverer(running.server)
    assert deliverer in running.server.workers()
    submit(running, "ana")
    running.smtp.wait_for(2)
    port = f"{running.server.port:04X}"
    listening = [
        line.split()[9]
        for line in Path(f"/proc/{deliverer}/net/tcp").read_text().splitlines()
        if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    ]
    opened = [os.readlink(file) for file in Path(f"/proc/{deliverer}/fd").iterdir()]
    assert len(listening) == 1
    assert f"socket:[{listening[0]}]" not in opened


def test_a_crashed_deliverer_is_replaced(running: Site) -> None:
    first = wait_for_deliverer(running.server)
    os.kill(first, signal.SIGKILL)
    wait_for_deliverer(running.server, before=first)
    submit(running, "ben")
    running.smtp.wait_for(2)
    assert len(running.server.workers()) == 3


def test_a_reload_keeps_exactly_one(running: Site) -> None:
    before = running.server.workers()
    first = wait_for_deliverer(running.server)
    os.kill(running.server.pid, signal.SIGHUP)
    wait_until(lambda: not set(before) & set(running.server.workers()))
    wait_for_deliverer(running.server, before=first)
    assert len(running.server.workers()) == 3
    submit(running, "cleo")
    running.smtp.wait_for(2)


def test_fewer_workers_still_deliver(running: Site) -> None:
    first = wait_for_deliverer(running.server)
    os.kill(running.server.pid, signal.SIGTTOU)
    wait_for_deliverer(running.server, before=first)
    wait_until(lambda: len(running.server.workers()) == 2)
    submit(running, "dan")
    running.smtp.wait_for(2)


def test_one_worker_always_serves(running: Site) -> None:
    for _ in range(3):
        os.kill(running.server.pid, signal.SIGTTOU)
        time.sleep(1.5)
        wait_until(lambda: len(running.server.workers()) == 2)
    wait_for_deliverer(running.server)
    submit(running, "dora")
    running.smtp.wait_for(2)


def assert_both_are_stored_as_sent(site: Site) -> None:
    """Check that the confirmation and the notice would not be sent again."""
    with site.database() as rows:
        sent = rows.scalars(select(Letter.sent_at)).all()
    assert len(sent) == 2
    assert all(sent)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGQUIT])
def test_a_quick_stop_finishes_what_is_in_flight(running: Site, end: signal.Signals) -> None:
    wait_for_deliverer(running.server)
    running.smtp.delay = 3
    submit(running, "emil")
    running.smtp.wait_for_try(2)
    workers = running.server.workers()
    os.kill(running.server.pid, end)
    wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in workers), 20)
    assert len(running.smtp.messages) == 2
    assert_both_are_stored_as_sent(running)
    running.server.kill()


def test_it_ends_with_gunicorn_and_finishes_what_is_in_flight(running: Site) -> None:
    wait_for_deliverer(running.server)
    workers = running.server.workers()
    running.smtp.delay = 3
    submit(running, "eve")
    running.smtp.wait_for_try(2)
    start = time.monotonic()
    assert running.server.stop() == 0
    assert time.monotonic() - start < 20
    assert len(running.smtp.messages) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert_both_are_stored_as_sent(running)


def test_ctrl_c_ends_all_processes_and_finishes_what_is_in_flight(running: Site) -> None:
    wait_for_deliverer(running.server)
    workers = running.server.workers()
    for _ in range(20):  # so that the workers have threads
        httpx.get(f"{running.url}/health")
    running.smtp.delay = 3
    submit(running, "hal")
    running.smtp.wait_for_try(2)
    # A terminal signals each process of the group, and gunicorn signals its workers once more.
    for pid in workers:
        os.kill(pid, signal.SIGINT)
    os.kill(running.server.pid, signal.SIGINT)
    assert running.server.stop() == 0
    assert "SIGKILL" not in running.server.log()
    assert "Traceback" not in running.server.log()
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert_both_are_stored_as_sent(running)


def test_it_ends_when_gunicorns_master_is_killed(running: Site) -> None:
    wait_for_deliverer(running.server)
    workers = running.server.workers()
    running.smtp.delay = 2
    submit(running, "fay")
    running.smtp.wait_for_try(2)
    os.kill(running.server.pid, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in workers), 20)
    running.server.kill()
    assert len(running.smtp.messages) == 2
    with running.database() as rows:
        assert all(rows.scalars(select(Letter.sent_at)).all())
    assert not listens(running.server.port)


def test_none_is_started_if_delivery_is_external(start_site: Callable[..., Site]) -> None:
    site = start_site(DELIVERY="external")
    wait_until(lambda: len(site.server.workers()) == 2)
    submit(site, "gus")
    time.sleep(2)
    assert site.smtp.tried == []
    assert site.server.deliverers() == []
    assert len(site.server.workers()) == 2
