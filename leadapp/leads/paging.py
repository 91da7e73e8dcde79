"""One page of a long list."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Paged(Generic[Item]):
    """One page of a list, and the number of items on all pages."""

    items: Sequence[Item]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """Count the pages."""
        return math.ceil(self.total / self.size)
