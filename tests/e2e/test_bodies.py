"""Large bodies without a resume are refused before parsing, at little cost in memory."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.load import processes
from tests.site import Site

JSON, ENCODED = "application/json", "application/x-www-form-urlencoded"
PIECES, PIECE = 384, 64 * 1024  # 24 MB
# Both workers together. Parsing 24 MB of either kind took 800 MB and more.
MEMORY_MB = 4


def large(kind: str) -> Iterator[bytes]:
    """Yield content that costs many times its length when it is parsed."""
    starts = {JSON: b'{"username": [0', ENCODED: b"a="}
    parts = {JSON: b",[]", ENCODED: b"&a"}
    part = parts[kind]
    yield starts[kind]
    for _ in range(PIECES):
        yield part * (PIECE // len(part))


def peak(site: Site, reset: bool = False) -> float:
    """Return the peak memory in MB of master and workers since the last reset."""
    total = 0
    for pid in processes.tree(site.server.pid):
        if reset:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(re.findall(r"VmHWM:\s+(\d+)", status)[0])
    return total / 1024


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/auth/register", JSON),
        ("/api/v1/auth/login", ENCODED),
        ("/api/v1/leads", JSON),
        ("/auth/login", ENCODED),
        ("/", ENCODED),
    ],
)
def test_a_large_body_costs_little(site: Site, path: str, kind: str, chunked: bool) -> None:
    body: Iterator[bytes] | bytes = large(kind)
    if not chunked:
        body = b"".join(large(kind))
    with site.client() as client:
        # Make sure that both workers have answered a request before.
        for _ in range(8):
            client.get("/health")
        before = peak(site, reset=True)
        headers = {"Content-Type": kind}
        answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 413
    assert "The request is too large. Send at most 64 KB" in answer.text
    assert peak(site) - before < MEMORY_MB


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(
    ("length", "status"),
    [
        (64 * 1024, 400),
        (64 * 1024 + 1, 413),
    ],
)
def test_64_kb_are_read_and_no_byte_more(
    site: Site, length: int, status: int, chunked: bool
) -> None:
    # JSON, but not an object.
    body = b"[" + b" " * (length - 2) + b"]"
    content: Iterator[bytes] | bytes = body
    if chunked:
        content = iter([body])
    url = f"{site.url}/api/v1/auth/register"
    answer = httpx.post(url, content=content, headers={"Content-Type": JSON})
    codes = {400: "json_unreadable", 413: "body_too_large"}
    assert answer.status_code == status
    assert answer.json()["code"] == codes[status]
