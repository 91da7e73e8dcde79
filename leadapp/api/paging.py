"""The Link header of a list that comes in pages."""

from typing import Any
from urllib.parse import urlencode

from flask import request

from ..leads import search


def page_numbers(page: int, pages: int) -> dict[str, int]:
    """Return the numbers of the other pages by their relation to this one."""
    last = max(pages, 1)
    numbers = {
        "first": 1,
        "prev": min(page - 1, last),
        "next": page + 1,
        "last": last,
    }
    return {rel: number for rel, number in numbers.items() if 1 <= number <= last}


def search_page_numbers(page: search.Page) -> dict[str, int]:
    """Return the numbers of the other pages of a list of leads.

    If the matches are not counted to the end, no page is known to be the last.
    """
    here = page.query.page
    if page.total.is_exact:
        return page_numbers(here, page.pages)
    numbers = {"first": 1}
    if here > 1:
        numbers["prev"] = here - 1
    if page.has_next:
        numbers["next"] = here + 1
    return numbers


def links(numbers: dict[str, int]) -> str:
    """Return a Link header with the URLs of these pages (RFC 8288)."""
    query: dict[str, Any] = request.args.to_dict()
    found = []
    for rel, number in numbers.items():
        query["page"] = number
        found.append(f'<{request.path}?{urlencode(query)}>; rel="{rel}"')
    return ", ".join(found)
