"""With deploy/nginx.conf, nginx compresses pages, but none that another site asked for."""

from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from tests.servers import Gunicorn, MailServer
from tests.servers.nginx import Nginx
from tests.site import Site

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture(scope="module")
def address(
    backend: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of nginx in front of a site."""
    folder = tmp_path_factory.mktemp("instance")
    with closing(MailServer()) as smtp:
        server = Gunicorn(folder, new_database(backend), smtp.port)
        Site(server, smtp).migrate()
        with closing(server), closing(Nginx(server.port)) as nginx:
            server.start()
            yield nginx.url


def encoding(url: str, **headers: str) -> str | None:
    headers["Accept-Encoding"] = "gzip"
    answer = httpx.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers.get("Content-Encoding")


@pytest.mark.parametrize(
    ("asked_by", "compressed"),
    [("same-origin", "gzip"), ("none", "gzip"), ("same-site", None), ("cross-site", None)],
)
def test_a_page_is_compressed_unless_another_site_asked(
    address: str, asked_by: str, compressed: str | None
) -> None:
    headers = {"Sec-Fetch-Site": asked_by}
    assert encoding(f"{address}/", **headers) == compressed
    assert encoding(f"{address}/auth/login?next=/dashboard/", **headers) == compressed


def test_a_client_that_does_not_say_who_asked_gets_it_as_it_is(address: str) -> None:
    assert encoding(f"{address}/") is None


def test_styles_are_compressed_and_the_api_is_not(address: str) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert encoding(f"{address}/static/leadapp.css", **headers) == "gzip"
    assert encoding(f"{address}/openapi.json", **headers) is None
