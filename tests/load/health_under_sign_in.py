"""Prints how long `/health` takes, first on a quiet server and then while four clients sign in.

Run it with `python -m tests.load.health_under_sign_in`.
"""

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
    """Request `/health` for SECONDS; return the 99th percentile in milliseconds."""
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
    """Sign in over the API without pause; return the status codes.

    This runs for one second longer than the measurement.
    """
    statuses: list[int] = []
    end = time.monotonic() + SECONDS + 1
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.monotonic() < end:
            data = {"username": f"attorney{number}", "password": PASSWORD}
            statuses.append(client.post("/api/v1/auth/login", data=data).status_code)
    return statuses


def measure(url: str, pool: ProcessPoolExecutor) -> float:
    """Measure a quiet and then a busy server, print both figures, and return their ratio."""
    quiet = p99(url)
    clients = [pool.submit(sign_in, url, number) for number in range(CLIENTS)]
    time.sleep(0.5)
    busy = p99(url)
    statuses = [status for client in clients for status in client.result()]
    told = f"quiet {quiet:.2f} ms, busy {busy:.2f} ms, ratio {busy / quiet:.2f}"
    print(  # noqa: T201
        f"{told}; {len(statuses) / (SECONDS + 1):.1f} sign-ins/s, answered {set(statuses)}"
    )
    return busy / quiet


def main() -> None:
    """Alternate quiet and busy measurements, so that a noisy machine disturbs both alike."""
    with tempfile.TemporaryDirectory() as folder:
        smtp = MailServer()
        server = Gunicorn(Path(folder) / "instance", f"sqlite:///{folder}/leads.db", smtp.port)
        site = Site(server, smtp)
        site.migrate()
        server.start()
        for number in range(CLIENTS):
            site.create_user(f"attorney{number}", PASSWORD)
        # The clients run in separate processes so that they do not slow down the measurement.
        with ProcessPoolExecutor(CLIENTS, get_context("spawn")) as pool:
            list(pool.map(sign_in, [server.url] * CLIENTS, range(CLIENTS)))
            ratios = [measure(server.url, pool) for _ in range(ROUNDS)]
        print(f"median ratio {median(ratios):.2f}; at most 3 is asked for")  # noqa: T201
        server.close()
        smtp.close()


if __name__ == "__main__":
    main()
