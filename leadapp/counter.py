"""Rate-limit counts in one SQLite file, shared by all processes of a machine."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from limits.storage import Storage

CREATE = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS counts (
        key TEXT PRIMARY KEY, hits INTEGER NOT NULL, expires_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS counts_expires_at ON counts (expires_at);
"""
DELETE_EXPIRED = "DELETE FROM counts WHERE expires_at <= ?"
UPSERT = """
    INSERT INTO counts (key, hits, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET hits = hits + excluded.hits RETURNING hits
"""
SELECT = "SELECT hits, expires_at FROM counts WHERE key = ? AND expires_at > ?"


def storage_uri(path: Path) -> str:
    """Return the storage URI with which Flask-Limiter counts in this file."""
    return path.absolute().as_uri()


class FileStorage(Storage):
    """Flask-Limiter's storage at `file:///PATH`.

    In WAL mode with synchronous=NORMAL a commit costs no fsync, and a power cut may lose the latest
    counts but does not damage the file.
    """

    STORAGE_SCHEME = ["file"]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._path = unquote(urlsplit(uri).path)
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def __del__(self) -> None:
        """Close the file; Python 3.13 warns about a connection that is still open."""
        if self._opened:
            self._opened.close()

    @property
    def base_exceptions(self) -> type[Exception]:
        """The exceptions that make Flask-Limiter count in memory for a while."""
        return sqlite3.Error

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the count of a key; it restarts `expiry` seconds after the first hit."""
        moment = time.time()
        with self._lock, self._connection() as transaction:
            transaction.execute(DELETE_EXPIRED, (moment,))
            row = (key, amount, moment + expiry)
            [hits] = transaction.execute(UPSERT, row).fetchone()
        return int(hits)

    def get(self, key: str) -> int:
        """Return the count of a key."""
        hits, _expires_at = self._read(key)
        return hits

    def get_expiry(self, key: str) -> float:
        """Return the time at which the count of a key restarts."""
        _hits, expires_at = self._read(key)
        return expires_at

    def check(self) -> bool:
        """Check whether the file can be written.

        Flask-Limiter returns to the file as soon as this is true. A check that only reads is not
        enough: while another program locked the file, reads worked and writes failed, so
        Flask-Limiter called this method again and again within one request.
        """
        try:
            self.incr("check", expiry=1)
        except sqlite3.Error:
            return False
        return True

    def reset(self) -> int:
        """Delete all counts; returns the number of deleted counts."""
        with self._lock, self._connection() as transaction:
            return transaction.execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Delete the count of a key."""
        with self._lock, self._connection() as transaction:
            transaction.execute("DELETE FROM counts WHERE key = ?", (key,))

    def _read(self, key: str) -> tuple[int, float]:
        """Return the count of a key, and the time at which it restarts."""
        moment = time.time()
        with self._lock:
            connection = self._connection()
            found = connection.execute(SELECT, (key, moment)).fetchone()
        if found is None:
            return 0, moment
        hits, expires_at = found
        return int(hits), float(expires_at)

    def _connection(self) -> sqlite3.Connection:
        """Return the connection of this process.

        It is opened at first use, because a connection must not be carried across a fork.
        """
        if self._opened is None:
            opened = sqlite3.connect(
                self._path, timeout=1, isolation_level="IMMEDIATE", check_same_thread=False
            )
            try:
                opened.executescript(CREATE)
            except sqlite3.Error:
                opened.close()
                raise
            self._opened = opened
        return self._opened
