"""Two hundred submissions at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests import samples
from tests.pages import hidden_fields
from tests.site import Site

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


@pytest.mark.databases("sqlite", "postgres")
def test_two_hundred_posts_of_one_form_are_one_submission(site: Site) -> None:
    with site.client() as browser, ThreadPoolExecutor(32) as pool:
        form = hidden_fields(browser.get("/").text, having="email")
        form.update(GOOD)

        def post(_: int) -> tuple[int, str]:
            sent = browser.post("/", data=form, files=samples.upload())
            return sent.status_code, browser.get(sent.headers["Location"]).text

        answers = set(pool.map(post, range(200)))
    assert len(answers) == 1
    assert answers.pop()[0] == 303
    with site.database() as connection:
        counts = [
            # The table names are our own.
            connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("submissions", "letters")
        ]
    assert counts == [1, 2]
    assert len(site.smtp.wait_for(2)) == 2
