"""Prints how long a submit takes for a known and for a new e-mail address.

Run it with `python -m tests.load.same_answer`.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from tests import samples
from tests.servers import Gunicorn, MailServer
from tests.site import Site

ROUNDS = 200


def submit(client: httpx.Client, email: str) -> tuple[float, list[str], list[str]]:
    """Submit a lead; return the milliseconds and the names of the response's headers and fields."""
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": email}
    start = time.perf_counter()
    answer = client.post(
        "/api/v1/leads", data=fields, files={"resume": ("cv.pdf", samples.pdf(size=50_000))}
    )
    spent = (time.perf_counter() - start) * 1000
    answer.raise_for_status()
    return spent, list(answer.headers), list(answer.json())


def main() -> None:
    """Alternate a known and a new address, so that a noisy machine disturbs both alike."""
    with tempfile.TemporaryDirectory() as folder:
        smtp = MailServer()
        server = Gunicorn(
            Path(folder) / "instance",
            f"sqlite:///{folder}/leads.db",
            smtp.port,
            DELIVERY="external",
        )
        Site(server, smtp).migrate()
        server.start()
        with httpx.Client(base_url=server.url, timeout=30) as client:
            submit(client, "known@example.com")
            pairs = [
                (submit(client, "known@example.com"), submit(client, f"new{number}@example.com"))
                for number in range(ROUNDS)
            ]
        server.close()
        smtp.close()
    known = median(one[0] for one, _ in pairs)
    new = median(other[0] for _, other in pairs)
    alike = all(one[1:] == other[1:] for one, other in pairs)
    print(  # noqa: T201
        f"known {known:.2f} ms, new {new:.2f} ms, ratio {known / new:.3f}, "
        f"same headers and fields: {alike}"
    )


if __name__ == "__main__":
    main()
