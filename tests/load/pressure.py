"""Measures a server under slow uploads and under many uploads at once."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median, quantiles

from tests.load import processes
from tests.load.client import FORM, Client, multipart
from tests.load.rivals import Rival
from tests.load.scenarios import FULL, Site, content, new
from tests.servers.ports import HOST

SLOW_UPLOADERS, UPLOADS = 64, 16
DRIP = 2000  # bytes that a slow uploader sends at a time


def p99(milliseconds: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(milliseconds, n=100)[98]


def health(rival: Rival, requests: int) -> list[float]:
    """Return the milliseconds of each request for /health; each opens a new connection."""
    taken = []
    for _ in range(requests):
        start = time.perf_counter()
        with Client(rival) as client:
            client.ask("GET", "/health")
        taken.append((time.perf_counter() - start) * 1000)
        time.sleep(0.005)
    return taken


@contextmanager
def slow_uploaders(rival: Rival) -> Iterator[None]:
    """Keep 64 uploads of 5 MB open that never finish."""
    body = multipart("slow@example.com", content(FULL))
    head = (
        f"POST /api/v1/leads HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {FORM['Content-Type']}\r\n"
    )
    start = head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:DRIP]
    sockets = [socket.create_connection((HOST, rival.port)) for _ in range(SLOW_UPLOADERS)]
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.2):
            for upload in sockets:
                upload.sendall(body[DRIP : 2 * DRIP])

    for upload in sockets:
        upload.sendall(start)
    dripping = threading.Thread(target=drip)
    dripping.start()
    time.sleep(1)
    yield
    ended.set()
    dripping.join()
    for upload in sockets:
        upload.close()


def upload_at_once(site: Site, times: int = 1) -> list[float]:
    """Run 16 clients that each send 5 MB `times` times; return the milliseconds of each submit."""

    def send(_number: int) -> list[float]:
        with site.client() as client:
            return [
                timed(lambda: client.submit(f"many{next(new)}@example.com", content(FULL)))
                for _ in range(times)
            ]

    taken: list[float] = []
    with ThreadPoolExecutor(UPLOADS) as pool:
        for sent in pool.map(send, range(UPLOADS)):
            taken.extend(sent)
    return taken


def timed(act: Callable[[], object]) -> float:
    """Call `act` and return the milliseconds that it took."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def growth_under_uploads(site: Site, batches: int) -> float:
    """Return the largest growth of the process tree's RSS, in MB, during 16 uploads of 5 MB.

    Eight uploads warm up the server first.
    """
    with site.client() as client:
        for _ in range(8):  # enough that each of the two workers receives one
            client.submit(f"warm{next(new)}@example.com", content(FULL))
    rest = site.rival.resident()
    ended = threading.Event()
    peak = [0.0]

    def watch() -> None:
        while not ended.wait(0.01):
            peak[0] = max(peak[0], site.rival.resident())

    watching = threading.Thread(target=watch)
    watching.start()
    for _ in range(batches):
        upload_at_once(site)
    ended.set()
    watching.join()
    return peak[0] - rest


def written_per_submit(site: Site, submits: int) -> float:
    """Return the MB written to disk per submit of 5 MB, including the database and its journal."""
    with site.client() as client:
        before = site.rival.written()
        for _ in range(submits):
            client.submit(f"disk{next(new)}@example.com", content(FULL))
        return (site.rival.written() - before) / submits


def worker_memory(rival: Rival) -> tuple[float, float]:
    """Return the RSS and PSS of the larger worker, in MB."""
    return max(processes.memory(pid) for pid in rival.workers())


def submits_at_once(site: Site, clients: int, each: int) -> tuple[float, float]:
    """Return the median and 99th percentile, in milliseconds, of submits of 50 KB.

    That many `clients` send them without pause.
    """

    def send(_number: int) -> list[float]:
        with site.client() as client:
            return [
                timed(lambda: client.submit(f"r{next(new)}@example.com", content(50_000)))
                for _ in range(each)
            ]

    taken: list[float] = []
    with ThreadPoolExecutor(clients) as pool:
        for sent in pool.map(send, range(clients)):
            taken.extend(sent)
    return median(taken), p99(taken)
