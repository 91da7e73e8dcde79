"""Two hundred at once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import text

from tests import samples
from tests.pages import hidden_fields
from tests.site import Site

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


@pytest.mark.databases("sqlite", "postgres")
def test_two_hundred_posts_of_one_form_are_one_submission(site: Site) -> None:
    form = hidden_fields(httpx.get(f"{site.url}/").text, having="email")

    def post(_: int) -> tuple[int, str]:
        files = {"resume": ("cv.pdf", samples.pdf())}
        sent = httpx.post(f"{site.url}/", data=form | GOOD, files=files, timeout=60)
        return sent.status_code, httpx.get(f"{site.url}{sent.headers['Location']}", timeout=60).text

    with ThreadPoolExecutor(32) as pool:
        answers = set(pool.map(post, range(200)))
    assert len(answers) == 1
    assert answers.pop()[0] == 303
    with site.database() as connection:
        counts = [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("submissions", "letters")]  # noqa: S608  # our own words
    assert counts == [1, 2]
    assert len(site.smtp.wait_for(2)) == 2
