"""A service that the site needs fails while clients submit.

Each client gets a clear answer, and nothing is left half done.
"""

import time
from collections.abc import Callable

import pytest

from tests.e2e.crowd import Answer, crowd, stored, taken
from tests.servers import Servers
from tests.site import Site

pytestmark = pytest.mark.databases("postgres")
# The time before the fault, while the service returns, and after.
SECONDS = 1.5


@pytest.fixture(scope="module")
def shaken(start_site: Callable[..., Site], backend: str) -> Site:
    """A site on PostgreSQL, S3 and Valkey that counts submissions by IP address."""
    site = start_site(backend, RATELIMIT_ENABLED="true", TRUSTED_PROXIES="1")
    # The site answers when its first worker has started. The others may start later.
    end = time.monotonic() + 30
    while site.server.log().count("Booting worker") < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    return site


@pytest.mark.parametrize(
    ("gone", "codes"),
    [
        ("postgres", {"database_unavailable"}),
        ("objects", {"storage_unavailable"}),
        ("valkey", set()),
    ],
)
def test_what_goes_away_is_told_and_used_again(
    shaken: Site, servers: Servers, gone: str, codes: set[str], pytestconfig: pytest.Config
) -> None:
    before = len(shaken.server.log())
    with crowd(shaken.url) as answers:
        time.sleep(SECONDS)
        getattr(servers, gone).stop()
        went = len(answers)
        time.sleep(pytestconfig.getoption("fault_seconds"))
        getattr(servers, gone).start()
        time.sleep(SECONDS)
        back = len(answers)
        time.sleep(SECONDS)
    check_answers(answers, codes)
    assert {answer.status for answer in answers[back:]} == {201}
    assert {answer.code for answer in answers[went:back]} >= codes
    assert len(answers) > 50
    found = stored(shaken)
    assert taken(answers).items() <= found.items()
    assert "Booting worker" not in shaken.server.log()[before:]


def check_answers(answers: list[Answer], codes: set[str]) -> None:
    """Check that each answer is 201, or a quick temporary refusal in the application's words."""
    assert {answer.status for answer in answers} <= {201, 503}
    for answer in answers:
        if answer.status == 503:
            assert answer.code in codes, answer
            assert answer.retry_after == "60", answer
    assert max(answer.seconds for answer in answers) < 12
