"""Hash and check passwords, one at a time because hashing is slow on purpose."""

import functools
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import BoundedSemaphore, Lock
from weakref import WeakValueDictionary

import bcrypt

from .. import validation
from ..codes import Code
from ..errors import Unavailable
from ..network import network

BCRYPT_ROUNDS = 12
# A hash keeps a processor busy for a quarter of a second. So each process computes one hash at a
# time, and at most 16 threads hold a place in the queue.
_hashing = BoundedSemaphore(1)
_waiting = BoundedSemaphore(16)
# One network takes at most two of these 16 places, so other networks wait for at most two of its
# hashes. Its further requests wait outside the queue until one of the two places is free. Each
# process counts separately.
PLACES_OF_A_NETWORK = 2
OUTSIDE_SECONDS = 15
_outside = BoundedSemaphore(16)
_networks: WeakValueDictionary[str, BoundedSemaphore] = WeakValueDictionary()
_networks_lock = Lock()


@contextmanager
def hashing_turn(address: str | None = None) -> Iterator[None]:
    """Wait for a turn to hash. Raises Unavailable if too many threads wait.

    `address` is the network address of the request, if any. The limits keep processors and threads
    free for lead submissions, and places for other networks.
    """
    if address is None:
        own_place: AbstractContextManager[None] = nullcontext()
    else:
        own_place = _place_of_network(network(address))
    with own_place, _place(_waiting), _hashing:
        yield


@contextmanager
def _place(places: BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise Unavailable(Code.SIGN_IN_BUSY)
    try:
        yield
    finally:
        places.release()


@contextmanager
def _place_of_network(name: str) -> Iterator[None]:
    with _networks_lock:
        places = _networks.setdefault(name, BoundedSemaphore(PLACES_OF_A_NETWORK))
    if not places.acquire(blocking=False):
        with _place(_outside):
            if not places.acquire(timeout=OUTSIDE_SECONDS):
                raise Unavailable(Code.SIGN_IN_BUSY)
    try:
        yield
    finally:
        places.release()


def hash_password(password: str, address: str | None = None) -> str:
    """Return the hash of a new password; `address` is the network address that set it, if any."""
    secret = validation.composed_password(password).encode()
    with hashing_turn(address):
        salt = bcrypt.gensalt(BCRYPT_ROUNDS)
        return bcrypt.hashpw(secret, salt).decode()


def check_password(password: str, hash_: str | None) -> bool:
    """Check a password. Without a user, check against a dummy hash so that timing is equal.

    The caller must hold a `hashing_turn`.
    """
    secret = validation.composed_password(password).encode()
    hashed = hash_ or _dummy_hash(BCRYPT_ROUNDS)
    # bcrypt rejects longer passwords. Check a truncated one anyway, so that timing reveals nothing.
    same = bcrypt.checkpw(secret[: validation.PASSWORD_MAX_BYTES], hashed.encode())
    if not hash_ or len(secret) > validation.PASSWORD_MAX_BYTES:
        return False
    return same


@functools.cache
def _dummy_hash(rounds: int) -> str:
    salt = bcrypt.gensalt(rounds)
    return bcrypt.hashpw(secrets.token_bytes(16), salt).decode()
