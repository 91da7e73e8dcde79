"""A stop waits for work in progress: an upload, or an e-mail."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import httpx
import pytest
from sqlalchemy import func, select

from leadapp.models.leads import Submission
from leadapp.models.letters import Letter
from tests import samples
from tests.site import Site

FIELDS = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


def sending(url: str) -> httpx.Request:
    return httpx.Request("POST", f"{url}/api/v1/leads", data=FIELDS, files=samples.upload())


@pytest.fixture
def slow(start_site: Callable[..., Site]) -> Iterator[tuple[Site, socket.socket, bytes]]:
    """A site, a connection that has sent half of an upload, and the other half."""
    site = start_site()
    request = sending(site.url)
    body = request.read()
    half = len(body) // 2
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    start = f"POST /api/v1/leads HTTP/1.1\r\n{head}\r\n".encode()
    with socket.create_connection(("127.0.0.1", site.server.port)) as connection:
        connection.sendall(start + body[:half])
        # Time enough for the work to start.
        time.sleep(1)
        yield site, connection, body[half:]


def test_an_upload_under_way_is_finished(slow: tuple[Site, socket.socket, bytes]) -> None:
    site, connection, rest = slow
    with ThreadPoolExecutor() as pool:
        stopped = pool.submit(site.server.stop)
        time.sleep(3)
        assert not stopped.done()
        connection.sendall(rest)
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 201
        assert stopped.result() == 0
    with site.database() as rows:
        assert rows.scalar(select(func.count()).select_from(Submission)) == 1


def test_a_deliverer_stops_between_letters(start_site: Callable[..., Site]) -> None:
    site = start_site(DELIVERY="external")
    with httpx.Client() as client:
        for _ in range(2):
            client.send(sending(site.url)).raise_for_status()
    site.smtp.delay = 3
    with site.server.run_flask("mail", "deliver") as deliverer:
        site.smtp.wait_for_try(2, 20)
        deliverer.terminate()
        assert deliverer.wait(20) == 0
    assert len(site.smtp.messages) == 2
    chosen = select(Letter.sent_at.is_not(None), Letter.attempts, Letter.token)
    with site.database() as rows:
        letters = [tuple(row) for row in rows.execute(chosen)]
    # Two are in flight at the start.
    assert sorted(letters) == [
        (False, 0, None),
        (False, 0, None),
        (True, 1, None),
        (True, 1, None),
    ]
