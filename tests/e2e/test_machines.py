"""Machines that share only a database, a bucket, a Redis and a secret act as one site."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from tests import samples
from tests.e2e.crowd import crowd, stored, taken
from tests.factories import PASSWORD
from tests.pages import hidden_fields
from tests.servers import Gunicorn, MailServer
from tests.site import Site

pytestmark = pytest.mark.databases("postgres")
SECONDS = 3
GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


@pytest.fixture(scope="module")
def machines(
    backend: str,
    new_stack: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Site, Site]]:
    """Two machines that serve, with two workers each, and two that deliver.

    No machine shares a folder with another.
    """
    smtp = MailServer()
    shared = new_stack(backend)
    shared.update(DELIVERY="external", RATELIMIT_ENABLED="true", TRUSTED_PROXIES="1")
    servers = []
    for _ in range(4):
        instance = tmp_path_factory.mktemp("machine")
        servers.append(Gunicorn(instance, shared["DATABASE_URL"], smtp.port, **shared))
    Site(servers[0], smtp).migrate()
    with ExitStack() as running, ThreadPoolExecutor() as pool:
        deliverers = [
            running.enter_context(server.run_flask("mail", "deliver")) for server in servers[2:]
        ]
        list(pool.map(Gunicorn.start, servers[:2]))
        Site(servers[0], smtp).create_user("ana", PASSWORD)
        yield Site(servers[0], smtp), Site(servers[1], smtp)
        for deliverer in deliverers:
            deliverer.terminate()
        list(pool.map(Gunicorn.close, servers[:2]))
    smtp.close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A browser that sends its cookies to every machine, because only their ports differ."""
    with httpx.Client(timeout=30) as browser:
        yield browser


def test_nothing_is_lost_and_no_letter_is_sent_twice(machines: tuple[Site, Site]) -> None:
    one, two = machines
    with crowd(one.url, two.url) as answers:
        time.sleep(SECONDS)
    assert {answer.status for answer in answers} == {201}
    assert len(answers) > 20
    assert stored(one) == taken(answers)
    assert not list(one.store.folder.glob("*.pdf"))
    assert not list(two.store.folder.glob("*.pdf"))
    letters = one.smtp.wait_for(2 * len(answers), 60)
    time.sleep(2)
    sent = Counter(letter.message["Message-ID"] for letter in one.smtp.messages)
    assert len(sent) == len(letters)
    assert set(sent.values()) == {1}


def test_a_file_kept_by_one_is_sent_and_read_through_another(
    machines: tuple[Site, Site], client: httpx.Client
) -> None:
    one, two = machines
    resume = samples.pdf(size=3_000_000)
    form = hidden_fields(client.get(one.url).text, having="email")
    form.update(GOOD)
    form["email"] = "ana@"
    failed = client.post(one.url, data=form, files=samples.upload(resume))
    assert failed.status_code == 422
    form = hidden_fields(failed.text, having="email")
    form.update(GOOD)
    sent = client.post(two.url, data=form)
    assert sent.status_code == 303
    shown = client.get(one.url + sent.headers["Location"])
    assert "cv.pdf" in shown.text
    assert stored(one)["ana@example.com"] == hashlib.sha256(resume).hexdigest()
    headers = {
        "Authorization": f"Bearer {one.token('ana', PASSWORD)}",
        "Range": "bytes=2900000-2900099",
    }
    listed = client.get(f"{two.url}/api/v1/leads?q=ana@", headers=headers).json()["items"]
    part = client.get(two.url + listed[0]["resume_path"], headers=headers)
    assert part.status_code == 206
    assert part.content == resume[2_900_000:2_900_100]


def sign_in(site: Site, client: httpx.Client) -> None:
    page = client.get(f"{site.url}/auth/login").text
    fields = hidden_fields(page, having="password")
    fields.update(username="ana", password=PASSWORD)
    answer = client.post(f"{site.url}/auth/login", data=fields)
    assert answer.status_code == 303


def test_who_signs_in_on_one_is_known_to_all_until_signing_out(
    machines: tuple[Site, Site], client: httpx.Client
) -> None:
    one, two = machines
    sign_in(one, client)
    page = client.get(f"{two.url}/dashboard/")
    copied = dict(client.cookies)
    assert page.status_code == 200
    client.post(f"{two.url}/auth/logout", data=hidden_fields(page.text, action="/auth/logout"))
    assert httpx.get(f"{one.url}/dashboard/", cookies=copied).status_code == 303


def test_what_one_address_sends_is_counted_over_all(
    machines: tuple[Site, Site], client: httpx.Client
) -> None:
    def post(number: int) -> int:
        site = machines[number % 2]
        headers = {"X-Forwarded-For": "192.0.2.7"}
        return client.post(site.url, data={}, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(post, range(70))) == {400: 60, 429: 10}
