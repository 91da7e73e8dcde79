"""Behind PgBouncer in transaction mode nothing is lost.

No connection keeps a prepared statement.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import httpx
import pytest

from tests import samples
from tests.factories import PASSWORD
from tests.servers import Gunicorn, MailServer, PgBouncer
from tests.site import Site

pytestmark = pytest.mark.databases("postgres")
SUBMISSIONS, CLIENTS = 200, 8


@pytest.fixture(scope="module")
def site(
    backend: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Gunicorn with two workers, which reach PostgreSQL only through PgBouncer."""
    with closing(PgBouncer(new_database(backend))) as pooler, closing(MailServer()) as smtp:
        server = Gunicorn(tmp_path_factory.mktemp("instance"), pooler.url, smtp.port)
        running = Site(server, smtp)
        running.migrate()
        running.create_user("ana", PASSWORD)
        with closing(server):
            server.start()
            yield running


def submit(site: Site, number: int) -> int:
    details = {"first_name": "Ana", "last_name": "Ruiz", "email": f"ana{number}@example.com"}
    url = f"{site.url}/api/v1/leads"
    answer = httpx.post(url, data=details, files=samples.upload(), timeout=60)
    return answer.status_code


def test_no_submission_and_no_email_is_lost(site: Site) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = Counter(pool.map(partial(submit, site), range(SUBMISSIONS)))
    assert statuses == {201: SUBMISSIONS}
    # A confirmation and a notice for each submission.
    sent = site.smtp.wait_for(2 * SUBMISSIONS, 120)
    assert len({email.message["Message-ID"] for email in sent}) == 2 * SUBMISSIONS


def test_each_page_opens(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token('ana', PASSWORD)}"}

    def read(_number: int) -> int:
        listed = httpx.get(f"{site.url}/api/v1/leads", headers=headers, timeout=60)
        return listed.status_code

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert Counter(pool.map(read, range(SUBMISSIONS))) == {200: SUBMISSIONS}


def test_the_doctor_names_the_pooler(site: Site) -> None:
    found = site.server.flask("doctor").stdout
    assert "ok    database: postgresql, through a connection pooler" in found


def test_a_backup_asks_for_the_server_and_breaks_nothing(site: Site) -> None:
    refused = site.server.flask("backup")
    assert refused.returncode == 1
    assert "set DATABASE_URL to PostgreSQL's own address" in refused.stderr
    assert {submit(site, number) for number in range(20)} == {201}
