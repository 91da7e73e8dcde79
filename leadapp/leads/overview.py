"""Read everything that the list of leads shows."""

from dataclasses import dataclass
from datetime import datetime

from ..clock import now
from . import attention, search, statistics


@dataclass(frozen=True)
class Overview:
    """One page of a list of leads, with the notices above it and the statistics below it.

    `read_at` is the time before the first query.
    """

    read_at: datetime
    page: search.Page
    attention: attention.Attention
    statistics: statistics.Statistics


def read_overview(query: search.Query) -> Overview:
    """Read one page of a list of leads, and the notices and statistics around it."""
    return Overview(
        read_at=now(),
        page=search.search(query),
        attention=attention.read_attention(),
        statistics=statistics.read_statistics(),
    )
