"""The two stores, a folder and a bucket, behave alike."""

import os
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadapp.clock import now
from leadapp.errors import NotFound
from tests.stored import keep, keys

BIG = 48 * 2**20
LATER = timedelta(minutes=1)


@pytest.fixture
def store(new_store: Callable[..., Any]) -> Any:
    return new_store()


def test_a_kept_file_is_complete_and_no_longer_staged(store: Any) -> None:
    content = os.urandom(2_500_000)
    with store.stage() as file:
        file.write(content)
        [staged] = store.staging.iterdir()
        assert stat.S_IMODE(staged.stat().st_mode) == 0o600
        assert keys(store) == []
        store.keep(file, "a.pdf")
    assert list(store.staging.iterdir()) == []
    assert keys(store) == ["a.pdf"]
    with store.open("a.pdf") as file:
        assert file.read() == content


def test_a_file_is_read_from_any_position(store: Any) -> None:
    content = os.urandom(2_500_000)
    keep(store, "a.pdf", content)
    with store.open("a.pdf") as file:
        assert file.seekable()
        assert file.read(10) == content[:10]
        assert file.tell() == 10
        assert file.seek(2_000_000) == 2_000_000
        assert file.read(300_000) == content[2_000_000:2_300_000]
        assert file.seek(-5, os.SEEK_END) == 2_499_995
        assert file.read(99) == content[-5:]
        assert file.read(1) == b""


def test_files_are_listed_by_age_and_can_be_deleted_twice(store: Any) -> None:
    for key in ("a.pdf", "b.docx"):
        keep(store, key)
    assert set(store.keys_before(now() - LATER)) == set()
    for _ in range(2):
        store.delete("a.pdf")
    assert keys(store) == ["b.docx"]


@pytest.mark.parametrize("key", ["none.pdf", "../secret_key", "staging/x"])
def test_a_missing_file_is_not_found(store: Any, key: str) -> None:
    with pytest.raises(NotFound, match="is missing from storage"):
        store.open(key)


def test_files_of_a_killed_process_are_cleared(store: Any) -> None:
    store.stage().close()
    store.clear_staging(now() - LATER)
    assert len(list(store.staging.iterdir())) == 1
    store.clear_staging(now() + LATER)
    assert list(store.staging.iterdir()) == []


def memory() -> int:
    """Return the memory of this process in bytes, without mapped files."""
    [line] = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("RssAnon")
    ]
    return int(line.split()[1]) * 1024


def test_a_large_file_is_never_whole_in_memory(store: Any) -> None:
    with store.stage() as file:
        for _ in range(BIG // 2**20):
            file.write(os.urandom(2**20))
        before, peaks, done = memory(), [0], threading.Event()

        def watch() -> None:
            peaks.append(memory())
            while not done.wait(0.002):
                peaks.append(memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        store.keep(file, "big.pdf")
        done.set()
        watcher.join()
    read = 0
    with store.open("big.pdf") as kept:
        # Reading is too fast for a second thread to watch.
        while piece := kept.read(2**20):
            read += len(piece)
            peaks.append(memory())
    assert read == BIG
    assert max(peaks) - before < BIG / 3
