"""How a long operation reports its progress."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Wraps the items of a loop, so that the caller can show how many are done."""

    def __call__(self, items: Iterable[Item], /) -> Iterable[Item]:
        """Return the same items."""
        ...


def no_progress(items: Iterable[Item], /) -> Iterable[Item]:
    """Return the items and show nothing."""
    return items
