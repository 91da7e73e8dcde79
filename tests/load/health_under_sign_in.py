"""Prints how long `/health` takes quiet and under four that sign in: `python -m tests.load.health_under_sign_in`."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from tests.factories import PASSWORD
from tests.servers import Gunicorn, MailServer
from tests.site import Site

CLIENTS, SECONDS, ROUNDS = 4, 5, 5
PAUSE = 0.005


def p99(site: Site) -> float:
    """Ask for SECONDS; give the milliseconds that 99 of 100 answers stay under."""
    times: list[float] = []
    end = time.monotonic() + SECONDS
    with site.client() as client:
        while time.monotonic() < end:
            start = time.perf_counter()
            client.get("/health").raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(PAUSE)
    return quantiles(times, n=100)[-1]


@contextmanager
def signing_in(site: Site) -> Iterator[list[int]]:
    """Four clients that sign in over the API without pause; lists the statuses of their answers."""
    stopped, statuses = threading.Event(), list[int]()

    def sign_in(number: int) -> None:
        data = {"username": f"attorney{number}", "password": PASSWORD}
        with site.client() as client:
            while not stopped.is_set():
                statuses.append(client.post("/api/v1/auth/login", data=data).status_code)

    clients = [threading.Thread(target=sign_in, args=[number]) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    yield statuses
    stopped.set()
    for client in clients:
        client.join()


def main() -> None:
    """Measure quiet and busy in turn, so that a noisy machine troubles both alike."""
    with tempfile.TemporaryDirectory() as folder:
        smtp = MailServer()
        server = Gunicorn(Path(folder) / "instance", f"sqlite:///{folder}/leads.db", smtp.port)
        site = Site(server, smtp)
        server.migrate()
        server.start()
        for number in range(CLIENTS):
            site.create_user(f"attorney{number}", PASSWORD)
        ratios = []
        for _ in range(ROUNDS):
            quiet = p99(site)
            with signing_in(site) as statuses:
                busy = p99(site)
            ratios.append(busy / quiet)
            told = f"quiet {quiet:.2f} ms, busy {busy:.2f} ms, ratio {busy / quiet:.2f}"
            print(f"{told}; {len(statuses) / SECONDS:.1f} sign-ins/s, answered {set(statuses)}")  # noqa: T201  # its purpose
        print(f"median ratio {median(ratios):.2f}; at most 3 is asked for")  # noqa: T201  # its purpose
        site.close()


if __name__ == "__main__":
    main()
