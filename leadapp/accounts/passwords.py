"""Passwords hashed and compared: slow on purpose, so one after the other."""

import functools
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore

import bcrypt

from .. import rules
from ..errors import Unavailable

BCRYPT_ROUNDS = 12
# A hash keeps a processor busy for a quarter of a second: one at a time in each process, on a thread that gives way to
# whoever sends a lead (Linux lowers this thread alone), and few threads wait for it.
_hasher = ThreadPoolExecutor(1, "hasher", initializer=os.nice, initargs=(10,))
_waiting = BoundedSemaphore(16)


@contextmanager
def turn() -> Iterator[None]:
    """Take a place among the few that wait for a hash, or raise Unavailable."""
    if not _waiting.acquire(blocking=False):
        raise Unavailable("sign_in_busy")
    try:
        yield
    finally:
        _waiting.release()


def hashed(password: str) -> str:
    """Hash a new password."""
    with turn():
        return _hasher.submit(bcrypt.hashpw, password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).result().decode()


def match(password: str, hash_: str | None) -> bool:
    """Compare a password with a user's hash, or for as long with nobody's; inside one's turn."""
    secret, hashed_ = password.encode(), (hash_ or _nobodys(BCRYPT_ROUNDS)).encode()
    # bcrypt refuses longer ones; the comparison runs all the same, so that the time tells nothing.
    same = _hasher.submit(bcrypt.checkpw, secret[: rules.PASSWORD_MAX_BYTES], hashed_).result()
    return same and bool(hash_) and len(secret) <= rules.PASSWORD_MAX_BYTES


@functools.cache
def _nobodys(rounds: int) -> str:
    return bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(rounds)).decode()
