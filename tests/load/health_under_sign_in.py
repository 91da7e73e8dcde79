"""Prints how long `/health` takes quiet and under four that sign in: `python -m tests.load.health_under_sign_in`."""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles

import httpx

from tests.factories import PASSWORD
from tests.servers import Gunicorn, MailServer
from tests.site import Site

CLIENTS, SECONDS, ROUNDS = 4, 5, 5
PAUSE = 0.005


def p99(url: str) -> float:
    """Ask for SECONDS; give the milliseconds that 99 of 100 answers stay under."""
    times: list[float] = []
    end = time.monotonic() + SECONDS
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.monotonic() < end:
            start = time.perf_counter()
            client.get("/health").raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(PAUSE)
    return quantiles(times, n=100)[-1]


def sign_in(url: str, number: int) -> list[int]:
    """Sign in over the API without pause, a little longer than the others look; give the statuses of the answers."""
    statuses: list[int] = []
    end = time.monotonic() + SECONDS + 1
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.monotonic() < end:
            data = {"username": f"attorney{number}", "password": PASSWORD}
            statuses.append(client.post("/api/v1/auth/login", data=data).status_code)
    return statuses


def measure(url: str, pool: ProcessPoolExecutor) -> float:
    """Look at it quiet and then busy, print both, and give their ratio."""
    quiet = p99(url)
    clients = [pool.submit(sign_in, url, number) for number in range(CLIENTS)]
    time.sleep(0.5)
    busy = p99(url)
    statuses = [status for client in clients for status in client.result()]
    told = f"quiet {quiet:.2f} ms, busy {busy:.2f} ms, ratio {busy / quiet:.2f}"
    print(f"{told}; {len(statuses) / (SECONDS + 1):.1f} sign-ins/s, answered {set(statuses)}")  # noqa: T201  # its purpose
    return busy / quiet


def main() -> None:
    """Measure quiet and busy in turn, so that a noisy machine troubles both alike."""
    with tempfile.TemporaryDirectory() as folder:
        smtp = MailServer()
        server = Gunicorn(Path(folder) / "instance", f"sqlite:///{folder}/leads.db", smtp.port)
        site = Site(server, smtp)
        site.migrate()
        server.start()
        for number in range(CLIENTS):
            site.create_user(f"attorney{number}", PASSWORD)
        # In processes of their own the clients do not slow down who measures.
        with ProcessPoolExecutor(CLIENTS, get_context("spawn")) as pool:
            [*pool.map(sign_in, [server.url] * CLIENTS, range(CLIENTS))]
            ratios = [measure(server.url, pool) for _ in range(ROUNDS)]
        print(f"median ratio {median(ratios):.2f}; at most 3 is asked for")  # noqa: T201  # its purpose
        server.close()
        smtp.close()


if __name__ == "__main__":
    main()
