"""The two stores, a folder and a bucket, behave alike; and what a bucket does when it is ill."""

import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadapp.errors import NotFound, Unavailable
from leadapp.log import logger
from leadapp.storage import make, s3
from leadapp.wording import now
from tests.servers import ObjectStore, Servers

BIG = 48 * 2**20
LATER = timedelta(minutes=1)
BUCKET = pytest.mark.databases("postgres")


@pytest.fixture
def new_store(backend: str, servers: Servers, tmp_path: Path) -> Callable[..., Any]:
    """`new_store(**settings)` makes a store of its own: a folder for sqlite, for postgres a bucket."""
    place = servers.objects.new_place() if backend == "postgres" else {"STORAGE_URL": ""}
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return lambda **settings: make({"UPLOAD_DIR": str(tmp_path), **dict.fromkeys(names, ""), **place, **settings})


@pytest.fixture
def store(new_store: Callable[..., Any]) -> Any:
    return new_store()


def keep(store: Any, key: str, content: bytes = b"%PDF-1.4") -> None:
    with store.stage() as file:
        file.write(content)
        store.keep(file, key)


def keys(store: Any) -> set[str]:
    return set(store.keys_before(now() + LATER))


def test_what_is_kept_is_there_whole_and_no_longer_staged(store: Any) -> None:
    content = os.urandom(2_500_000)
    with store.stage() as file:
        file.write(content)
        [staged] = store.staging.iterdir()
        assert stat.S_IMODE(staged.stat().st_mode) == 0o600
        assert keys(store) == set()
        store.keep(file, "a.pdf")
    assert list(store.staging.iterdir()) == []
    assert keys(store) == {"a.pdf"}
    with store.open("a.pdf") as file:
        assert file.read() == content


def test_a_file_is_read_from_wherever_it_is_sought(store: Any) -> None:
    content = os.urandom(2_500_000)
    keep(store, "a.pdf", content)
    with store.open("a.pdf") as file:
        assert file.seekable()
        assert (file.read(10), file.tell()) == (content[:10], 10)
        assert (file.seek(2_000_000), file.read(300_000)) == (2_000_000, content[2_000_000:2_300_000])
        assert (file.seek(-5, os.SEEK_END), file.read(99)) == (2_499_995, content[-5:])
        assert file.read(1) == b""


def test_files_are_listed_by_their_age_and_deleted_once(store: Any) -> None:
    for key in ("a.pdf", "b.docx"):
        keep(store, key)
    assert set(store.keys_before(now() - LATER)) == set()
    for _ in range(2):
        store.delete("a.pdf")
    assert keys(store) == {"b.docx"}


@pytest.mark.parametrize("key", ["none.pdf", "../secret_key", "staging/x"])
def test_what_is_not_there_is_not_found(store: Any, key: str) -> None:
    with pytest.raises(NotFound, match="cannot be found in storage"):
        store.open(key)


def test_what_a_killed_process_left_is_cleared(store: Any) -> None:
    store.stage().close()
    store.clear_staging(now() - LATER)
    assert len(list(store.staging.iterdir())) == 1
    store.clear_staging(now() + LATER)
    assert list(store.staging.iterdir()) == []


def memory() -> int:
    """This process's own memory in bytes, without files that are mapped."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def test_a_large_file_is_never_whole_in_memory(store: Any) -> None:
    with store.stage() as file:
        for _ in range(BIG // 2**20):
            file.write(os.urandom(2**20))
        before, peaks, done = memory(), [0], threading.Event()

        def watch() -> None:
            while not done.wait(0.002):
                peaks.append(memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        store.keep(file, "big.pdf")
        with store.open("big.pdf") as kept:
            read = sum(map(len, iter(lambda: kept.read(8192), b"")))
        done.set()
        watcher.join()
    assert (read, len(peaks) > 10) == (BIG, True)
    assert max(peaks) - before < BIG / 3


@BUCKET
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


@pytest.fixture
def ill(servers: Servers) -> ObjectStore:
    """The S3 of this run; whoever stops it starts it again."""
    return servers.objects


def check_unavailable(store: Any, seconds: float) -> None:
    acts = [lambda: keep(store, "b.pdf"), lambda: store.open("a.pdf"), lambda: keys(store), lambda: store.delete("a")]
    for act in acts:
        start = time.monotonic()
        with pytest.raises(Unavailable):
            act()
        assert time.monotonic() - start < seconds


@BUCKET
def test_a_bucket_that_is_gone_is_told_soon_and_used_again(store: Any, ill: ObjectStore) -> None:
    keep(store, "a.pdf")
    with store.open("a.pdf") as file:
        ill.stop()
        try:
            check_unavailable(store, seconds=2)
            with pytest.raises(Unavailable, match="cannot be reached"):
                file.read()
        finally:
            ill.start()
    keep(store, "b.pdf")
    assert keys(store) == {"a.pdf", "b.pdf"}


@BUCKET
def test_a_bucket_that_is_silent_is_not_waited_for(
    new_store: Callable[..., Any], ill: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(s3.CLIENT, "timeout", "500ms")
    store = new_store()
    ill.freeze()
    try:
        check_unavailable(store, seconds=4)
    finally:
        ill.thaw()


@BUCKET
def test_a_wrong_secret_is_told_to_the_operator_alone(
    new_store: Callable[..., Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "disabled", False)  # import-linter disables what loggers it finds
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable, match="could not be stored just now"):
        keep(new_store(AWS_SECRET_ACCESS_KEY="another"), "a.pdf")
    [said] = caplog.messages
    assert "403 Forbidden" in said
    assert "another" not in said
