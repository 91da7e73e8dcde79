"""Runs a function in several threads at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 8
Result = TypeVar("Result")


def together(act: Callable[[int], Result]) -> list[Result]:
    """Run `act(number)` in eight threads that start at the same time, and return the results."""
    barrier = threading.Barrier(THREADS)

    def wait_and_act(number: int) -> Result:
        barrier.wait(10)
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(wait_and_act, range(THREADS)))
