"""Limits counted in Redis: an outage of Redis refuses no request."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis
import time_machine
from flask import Flask

from leadapp.clock import now
from leadapp.extensions import limiter
from tests.servers import Valkey

THREADS = 8
# An empty form is rejected with 400, and it counts toward the limit.
COUNTED, TOO_OFTEN = 400, 429


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """Yields a Valkey server for this test alone."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture
def limited(
    tmp_path: Path,
    new_app: Callable[..., Flask],
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> Flask:
    """Returns an application that counts in Valkey."""
    # All applications of a process share one limiter.
    monkeypatch.setattr(limiter, "_storage_dead", False)
    return new_app(
        {"TESTING": True, "INSTANCE_PATH": str(tmp_path), "RATELIMIT_STORAGE_URI": valkey.url}
    )


@pytest.fixture
def post(limited: Flask) -> Callable[..., int]:
    """Sends an empty form and returns the status."""

    def send(*_: int) -> int:
        return limited.test_client().post("/", data={}).status_code

    return send


@pytest.fixture
def said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """`said()` returns the log messages about limits."""
    for name in ("leadapp", "leadapp.limits"):
        # import-linter disables the loggers that it finds.
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)

    def messages() -> list[str]:
        records = [record for record in caplog.records if record.name == "leadapp.limits"]
        return [record.message for record in records]

    return messages


def counted(valkey: Valkey) -> list[int]:
    """Returns the count of each limit in Valkey."""
    with redis.from_url(valkey.url) as connection:
        keys = connection.keys("LIMITS*")
        return [int(connection.get(key)) for key in keys]


def test_all_processes_count_together(post: Callable[..., int], valkey: Valkey) -> None:
    assert [post() for _ in range(3)] == [COUNTED] * 3
    assert counted(valkey) == [3, 3]
    with redis.from_url(valkey.url) as another:
        for key in another.keys("LIMITS*"):
            another.set(key, 600)
    assert post() == TOO_OFTEN


def test_without_redis_it_is_counted_in_memory_until_redis_is_back(
    post: Callable[..., int],
    valkey: Valkey,
    said: Callable[[], list[str]],
) -> None:
    post()
    valkey.stop()
    start = time.monotonic()
    answers = [post() for _ in range(62)]
    assert answers == [COUNTED] * 60 + [TOO_OFTEN] * 2
    assert time.monotonic() - start < 5
    assert ["falling back to in-memory" in words for words in said()] == [True]
    valkey.start()
    assert counted(valkey) == []
    with time_machine.travel(now() + timedelta(seconds=40)):
        assert post() == COUNTED
    assert counted(valkey) == [1, 1]


def test_a_silent_redis_is_waited_for_once(post: Callable[..., int], valkey: Valkey) -> None:
    post()
    with redis.from_url(valkey.url) as connection:
        connection.client_pause(20_000)
    start = time.monotonic()
    assert [post() for _ in range(20)] == [COUNTED] * 20
    assert time.monotonic() - start < 15  # 20 requests, but not a second for each


def test_all_who_find_redis_gone_at_one_instant_are_served(
    post: Callable[..., int],
    valkey: Valkey,
    said: Callable[[], list[str]],
) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(post, range(THREADS)))
        assert answers == [COUNTED] * THREADS
        with redis.from_url(valkey.url) as connection:
            connection.client_pause(20_000)
        answers = list(pool.map(post, range(THREADS)))
        assert answers == [COUNTED] * THREADS
    assert len(set(said())) == 1
