"""The Link header of a list that comes in pages."""

from typing import Any
from urllib.parse import urlencode

from flask import request


def links(page: int, pages: int) -> str:
    """Return a Link header with the URLs of the other pages (RFC 8288)."""
    last = max(pages, 1)
    numbers = {
        "first": 1,
        "prev": min(page - 1, last),
        "next": page + 1,
        "last": last,
    }
    query: dict[str, Any] = request.args.to_dict()
    found = []
    for rel, number in numbers.items():
        if 1 <= number <= last:
            query["page"] = number
            found.append(f'<{request.path}?{urlencode(query)}>; rel="{rel}"')
    return ", ".join(found)
