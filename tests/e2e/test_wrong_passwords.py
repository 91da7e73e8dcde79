"""Wrong passwords and unknown users at the real server.

Two servers share the counts, and the answers take the same time.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle, islice
from statistics import median

import httpx
import pytest

from leadapp.accounts import passwords
from tests.e2e.test_security import sign_in
from tests.factories import PASSWORD
from tests.pages import hidden_fields
from tests.servers import Gunicorn
from tests.site import Site

# Read at import: later, the tests set fewer rounds.
ROUNDS = passwords.BCRYPT_ROUNDS
API_LOGIN, WRONG = "/api/v1/auth/login", "Wrong-horse-7"


@pytest.fixture
def two(site: Site) -> Iterator[list[Site]]:
    """The site, and a second server on the same database."""
    instance = site.server.instance.with_name("other")
    other = Gunicorn(instance, site.server.database_url, site.smtp.port)
    other.start()
    yield [site, replace(site, server=other)]
    other.close()


def test_eleven_wrong_passwords_at_once_over_two_servers_are_ten(two: list[Site]) -> None:
    def wrong(site: Site) -> int:
        data = {"username": "ana", "password": WRONG}
        return httpx.post(f"{site.url}{API_LOGIN}", data=data, timeout=60).status_code

    with ThreadPoolExecutor(11) as pool:
        answers = sorted(pool.map(wrong, islice(cycle(two), 11)))
    assert answers == [401] * 10 + [429]
    for server in two:
        fields = {"username": "ana", "password": PASSWORD}
        right = httpx.post(f"{server.url}{API_LOGIN}", data=fields)
        assert right.status_code == 429
        assert 0 < int(right.headers["Retry-After"]) <= 900
        with server.client() as client:
            assert sign_in(client).status_code == 429
    assert two[0].server.flask("user", "unlock", "ana").returncode == 0
    assert two[1].token("ana", PASSWORD)


def test_forty_connections_from_one_address_keep_no_other_address_out(
    start_site: Callable[..., Site],
) -> None:
    site = start_site(TRUSTED_PROXIES="1")
    site.create_user("ana", PASSWORD)
    ended = threading.Event()

    def try_on(number: int) -> int:
        tries = 0
        with httpx.Client(base_url=site.url, timeout=120) as client:
            while not ended.is_set():
                tries += 1
                data = {"username": f"nobody{number}-{tries}", "password": WRONG}
                client.post(API_LOGIN, data=data, headers={"X-Forwarded-For": "203.0.113.7"})
                # Most requests are refused at once. Without a pause they overload the machine.
                ended.wait(0.2)
        return tries

    def sign_in_from(number: int) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        data = {"username": "ana", "password": PASSWORD}
        url = f"{site.url}{API_LOGIN}"
        return httpx.post(url, data=data, headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(40) as pool, ExitStack() as stack:
        stack.callback(ended.set)
        attackers = [pool.submit(try_on, number) for number in range(40)]
        time.sleep(1)
        assert [sign_in_from(number) for number in range(8)] == [200] * 8
        ended.set()
        assert sum(attacker.result() for attacker in attackers) > 40


def timed(ask: Callable[[], httpx.Response], status: int) -> float:
    start = time.perf_counter()
    assert ask().status_code == status
    return (time.perf_counter() - start) * 1000


def test_an_unknown_user_takes_the_same_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "BCRYPT_ROUNDS", ROUNDS)
    # Ten wrong passwords are allowed for each user.
    for number in range(2):
        site.create_user(f"known{number}", PASSWORD)
    with site.client() as client:

        def wrong(name: str) -> float:
            fields = {"username": name, "password": WRONG}
            return timed(lambda: client.post(API_LOGIN, data=fields), 401)

        # The dummy hash is computed once in each process.
        wrong("first")
        ratios = []
        for number in range(16):
            known = wrong(f"known{number % 2}")
            unknown = wrong(f"nobody{number}")
            ratios.append(known / unknown)
    assert 0.75 < median(ratios) < 1.25


def test_a_forgotten_password_takes_the_same_time(site: Site) -> None:
    with site.client() as client:
        fields = hidden_fields(client.get("/auth/forgot").text, having="email")

        def ask(email: str) -> float:
            fields["email"] = email
            return timed(lambda: client.post("/auth/forgot", data=fields), 303)

        ask("first@example.com")
        known_times, unknown_times = [], []
        for number in range(15):
            known_times.append(ask("ana@example.com"))
            unknown_times.append(ask(f"nobody{number}@example.com"))
    known, unknown = median(known_times), median(unknown_times)
    print(  # noqa: T201
        f"forgotten password, medians: known {known:.1f} ms, unknown {unknown:.1f} ms"
    )
    assert 0.3 < known / unknown < 3
