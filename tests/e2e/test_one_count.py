"""Each request of an IP address is counted once, in whichever worker it arrives."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import samples
from tests.site import Site

GOOD = {"first_name": "Ana", "last_name": "Ruiz"}


@pytest.fixture(scope="module")
def counting(start_site: Callable[..., Site], backend: str) -> Site:
    """A site with the default counter storage, behind a proxy."""
    return start_site(backend, RATELIMIT_ENABLED="true", TRUSTED_PROXIES="1")


def statuses(site: Site, address: str, number: int) -> Counter[int]:
    def post(_: int) -> int:
        # Open a new connection for each request, so that both workers answer.
        headers = {"X-Forwarded-For": address}
        return httpx.post(site.url, data={}, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(16) as pool:
        return Counter(pool.map(post, range(number)))


def test_sixty_a_minute_are_sixty_over_two_workers(counting: Site) -> None:
    assert statuses(counting, "192.0.2.7", 130) == {400: 60, 429: 70}


def test_the_count_outlives_the_workers(counting: Site) -> None:
    assert statuses(counting, "192.0.2.8:40000", 50) == {400: 50}
    counting.server.stop()
    counting.server.start()
    assert statuses(counting, "192.0.2.8", 20) == {400: 10, 429: 10}


@pytest.mark.databases("sqlite", "postgres")
def test_thirty_recipients_of_one_address_are_mailed_at_once(counting: Site) -> None:
    def send(number: int) -> int:
        fields = dict(GOOD)
        fields["email"] = f"ana{number}@example.com"
        answer = httpx.post(
            f"{counting.url}/api/v1/leads",
            data=fields,
            files=samples.upload(),
            headers={"X-Forwarded-For": "[2001:db8::1]:443"},
            timeout=30,
        )
        return answer.status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(send, range(40))) == {201}
    letters = counting.smtp.wait_for(70, 30)
    mailed = Counter(letter.recipients[0] for letter in letters)
    firm = counting.server.settings["ATTORNEY_EMAIL"]
    assert mailed.pop(firm) == 40
    assert len(mailed) == 30
    with counting.client() as client:
        assert client.get("/ready").json()["checks"]["letters"] == "ok"
