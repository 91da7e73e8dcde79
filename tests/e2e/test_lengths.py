"""The stored bytes equal the bytes sent, at every length where a body was once cut wrongly."""

import hashlib
import http.client
from collections.abc import Callable
from itertools import cycle

from sqlalchemy import select

from leadapp.models.leads import Submission
from tests import samples
from tests.multipart import BOUNDARIES, body
from tests.servers.ports import HOST
from tests.site import Site

FIELDS = {"first_name": b"Ana", "last_name": b"Ruiz", "email": b"ana.ruiz@example.com"}
# Around every multiple of 8 KB up to 300 KB, where reads of any usual size end.
LENGTHS: list[int] = []
for end in range(8192, 38 * 8192, 8192):
    LENGTHS.extend(range(end - 4, end + 21))


def of_length(length: int, boundary: bytes) -> tuple[bytes, bytes]:
    """Return a body of exactly this length, and the resume in it."""
    parts = dict(FIELDS)
    parts["resume"] = b""
    frame = body(parts, boundary)
    parts["resume"] = samples.pdf(size=length - len(frame))
    return body(parts, boundary), parts["resume"]


def test_a_body_of_any_length_is_stored_as_it_was_sent(start_site: Callable[..., Site]) -> None:
    site = start_site(DELIVERY="external")  # no one reads the e-mails of 925 submissions
    sent = {}
    connection = http.client.HTTPConnection(HOST, site.server.port, timeout=30)
    for length, boundary in zip(LENGTHS, cycle(BOUNDARIES.values()), strict=False):
        whole, resume = of_length(length, boundary)
        assert len(whole) == length
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}
        connection.request("POST", "/api/v1/leads", whole, headers)
        with connection.getresponse() as answer:
            assert answer.status == 201, length
            assert b"id" in answer.read(), length
        sent[hashlib.sha256(resume).hexdigest()] = len(resume)
    connection.close()
    with site.database() as database:
        stored = database.execute(
            select(Submission.sha256, Submission.size, Submission.storage_key)
        ).all()
    assert {row.sha256: row.size for row in stored} == sent
    assert len(stored) == len(LENGTHS)
    for row in stored:
        with site.store.open(row.storage_key) as file:
            assert hashlib.sha256(file.read()).hexdigest() == row.sha256
