"""Cases of a bucket only: several writes under one key, and a bucket that fails."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psutil
import pytest
from flask import Flask

from leadapp.errors import Unavailable
from leadapp.log import logger
from leadapp.resumes import s3
from tests.clients import Client
from tests.factories import LeadFactory
from tests.servers import Servers
from tests.stored import keep, keys

pytestmark = pytest.mark.databases("postgres")


@pytest.fixture
def store(new_store: Callable[..., Any]) -> Any:
    return new_store()


def test_of_eight_under_one_key_one_is_kept(store: Any) -> None:
    def act(number: int) -> bool:
        with suppress(Unavailable):
            keep(store, "one.pdf", bytes([number]) * 100_000)
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(act, range(8)))
    assert sorted(kept) == [False] * 7 + [True]
    with store.open("one.pdf") as file:
        assert file.read() == bytes([kept.index(True)]) * 100_000


def check_unavailable(store: Any, seconds: float) -> None:
    acts: list[Callable[[], object]] = [
        lambda: keep(store, "b.pdf"),
        lambda: store.open("a.pdf"),
        lambda: keys(store),
        lambda: store.delete("a"),
    ]
    for act in acts:
        start = time.monotonic()
        with pytest.raises(Unavailable):
            act()
        assert time.monotonic() - start < seconds


def test_a_bucket_that_is_gone_is_told_soon_and_used_again(store: Any, servers: Servers) -> None:
    keep(store, "a.pdf")
    with store.open("a.pdf") as file:
        servers.objects.stop()
        try:
            check_unavailable(store, seconds=2)
            with pytest.raises(Unavailable, match="cannot be reached"):
                file.read()
        finally:
            servers.objects.start()
    keep(store, "b.pdf")
    assert keys(store) == ["a.pdf", "b.pdf"]


def test_a_bucket_is_silent_as_soon_as_it_is_frozen(servers: Servers) -> None:
    process = psutil.Process(servers.objects.pid)
    for _ in range(20):
        servers.objects.freeze()
        status = process.status()
        servers.objects.thaw()
        assert status == psutil.STATUS_STOPPED


def test_a_bucket_that_is_silent_is_not_waited_for(
    new_store: Callable[..., Any], servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(s3.CLIENT, "timeout", "200ms")
    store = new_store()
    servers.objects.freeze()
    try:
        check_unavailable(store, seconds=4)
    finally:
        servers.objects.thaw()


def test_a_wrong_secret_is_told_to_the_operator_alone(
    new_store: Callable[..., Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "disabled", False)  # import-linter disables existing loggers
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(Unavailable, match="submission could not be stored"),
    ):
        keep(new_store(AWS_SECRET_ACCESS_KEY="another"), "a.pdf")
    [said] = caplog.messages
    assert "403 Forbidden" in said
    assert "another" not in said


def test_a_lead_opens_while_its_resume_cannot_be_read(
    app: Flask, client: Client, bearer: dict[str, str], servers: Servers
) -> None:
    lead = LeadFactory.create()
    servers.objects.stop()
    try:
        resume = client.get(f"/api/v1/leads/{lead.id}/resume", headers=bearer)
        assert client.get(f"/api/v1/leads/{lead.id}", headers=bearer).status_code == 200
        swept = app.test_cli_runner().invoke(args=["sweep"])
    finally:
        servers.objects.start()
    assert resume.status_code == 503
    assert resume.get_json()["code"] == "storage_unreachable"
    assert resume.headers["Retry-After"] == "60"
    assert swept.exit_code == 1
    assert swept.stderr.count("\n") == 1
    assert "The stored files cannot be reached right now" in swept.stderr
