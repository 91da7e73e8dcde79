"""Resumes are downloaded whole or in parts (RFC 9110, section 14)."""

import pytest

from tests import samples
from tests.clients import Client
from tests.factories import LeadFactory
from tests.integration.desk import address
from tests.pages import words


@pytest.fixture
def resume() -> str:
    """The path of a resume."""
    return address(LeadFactory.create(), "/resume")


def test_a_part_is_read(signed_in: Client, resume: str) -> None:
    size = len(samples.pdf())
    part = signed_in.get(resume, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.data == samples.pdf()[10:20]
    assert part.headers["Content-Range"] == f"bytes 10-19/{size}"
    beyond = signed_in.get(resume, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert "The requested range is outside the file" in words(beyond.text)


def test_a_program_is_told_of_a_part_that_is_not_there(
    client: Client, bearer: dict[str, str]
) -> None:
    size = len(samples.pdf())
    path = f"/api/v1/leads/{LeadFactory.create().id}/resume"
    part = client.get(path, headers=dict(bearer, Range="bytes=10-19"))
    assert part.status_code == 206
    assert part.data == samples.pdf()[10:20]
    beyond = client.get(path, headers=dict(bearer, Range=f"bytes={size}-"))
    assert beyond.status_code == 416
    assert beyond.get_json()["code"] == "http_416"
    assert beyond.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "items=0-1"}, 200),
        ({"Range": "bytes=0-1,3-4"}, 200),
        ({"Range": "bytes=0-1", "If-None-Match": "its version"}, 304),
    ],
)
def test_any_other_wish_for_a_part_is_ignored(
    signed_in: Client, resume: str, headers: dict[str, str], status: int
) -> None:
    whole = signed_in.get(resume)
    asked = dict(headers)
    if "If-None-Match" in asked:
        asked["If-None-Match"] = whole.headers["ETag"]
    answer = signed_in.get(resume, headers=asked)
    assert answer.status_code == status
    assert answer.data == (whole.data if status == 200 else b"")
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert signed_in.head(resume, headers={"Range": "bytes=0-1"}).status_code == 200
