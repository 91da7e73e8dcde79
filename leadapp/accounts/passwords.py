"""Passwords hashed and compared: slow on purpose, so one after the other."""

import functools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import bcrypt

from .. import rules
from ..errors import Unavailable

BCRYPT_ROUNDS = 12
# A hash keeps a processor busy for a quarter of a second: one in each process, and few threads wait for their turn.
_hashing, _waiting = BoundedSemaphore(1), BoundedSemaphore(16)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn to hash, so that processors and threads are left for who sends a lead."""
    if not _waiting.acquire(blocking=False):
        raise Unavailable("sign_in_busy")
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


def hashed(password: str) -> str:
    """Hash a new password."""
    with turn():
        secret = rules.composed_password(password).encode()
        return bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_ROUNDS)).decode()


def match(password: str, hash_: str | None) -> bool:
    """Compare a password with a user's hash, or for as long with nobody's; inside one's turn."""
    secret = rules.composed_password(password).encode()
    # bcrypt refuses longer ones; the comparison runs all the same, so that the time tells nothing.
    same = bcrypt.checkpw(
        secret[: rules.PASSWORD_MAX_BYTES], (hash_ or _nobodys(BCRYPT_ROUNDS)).encode()
    )
    return same and bool(hash_) and len(secret) <= rules.PASSWORD_MAX_BYTES


@functools.cache
def _nobodys(rounds: int) -> str:
    return bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(rounds)).decode()
