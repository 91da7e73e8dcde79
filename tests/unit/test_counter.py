"""Rate-limit counts in a file: exact across processes, short-lived, and never a cause to refuse."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import time_machine
from limits.storage import storage_from_string

from leadapp.counter import FileStorage, storage_uri

COUNT = """
import sys
from concurrent.futures import ThreadPoolExecutor
from leadapp.counter import FileStorage
storage = FileStorage(sys.argv[1])
with ThreadPoolExecutor(8) as pool:
    print(max(pool.map(lambda _: storage.incr("key", 60), range(500))))
"""


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """The URI of a file with a path that needs escaping."""
    (tmp_path / "a b%20#").mkdir()
    return storage_uri(tmp_path / "a b%20#" / "limits.db")


def test_processes_and_threads_count_together(uri: str) -> None:
    command = [sys.executable, "-c", COUNT, uri]
    processes = []
    for _ in range(3):
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    highest = []
    for process in processes:
        told, _ = process.communicate(timeout=60)
        highest.append(int(told))
    assert max(highest) == 1500
    assert FileStorage(uri).get("key") == 1500


def test_a_count_starts_again_when_its_time_is_over(uri: str) -> None:
    storage = storage_from_string(uri)
    assert isinstance(storage, FileStorage)
    with time_machine.travel(time.time(), tick=False) as clock:
        start = time.time()
        assert storage.incr("minute", 60) == 1
        assert storage.incr("day", 86400, 2) == 2
        clock.shift(59)
        assert storage.incr("minute", 60) == 2
        assert storage.incr("day", 86400) == 3
        assert storage.get_expiry("minute") == start + 60
        clock.shift(1)
        assert storage.get("minute") == 0
        assert storage.get("day") == 3
        assert storage.incr("minute", 60) == 1
        assert storage.incr("day", 86400) == 4


def test_counts_can_be_removed(uri: str) -> None:
    storage = FileStorage(uri)
    for key in ("one", "two", "three"):
        storage.incr(key, 60)
    storage.clear("one")
    assert storage.get("one") == 0
    assert storage.get("two") == 1
    assert storage.reset() == 2
    assert storage.get("two") == 0


def test_a_file_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    storage = FileStorage(storage_uri(tmp_path / "gone" / "limits.db"))
    assert storage.check() is False
    with pytest.raises(storage.base_exceptions):
        storage.incr("key", 60)
    (tmp_path / "gone").mkdir()
    assert storage.check() is True
    assert storage.incr("key", 60) == 1


def test_a_file_that_can_only_be_read_is_reported(tmp_path: Path) -> None:
    storage = FileStorage(storage_uri(tmp_path / "limits.db"))
    assert storage.incr("key", 60) == 1
    with closing(sqlite3.connect(tmp_path / "limits.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert storage.get("key") == 1
        assert storage.check() is False
        other.execute("ROLLBACK")
    assert storage.check() is True
