"""Reads the parts of a page that a test needs to act like a browser."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form of a page: its URL, the names of its fields, and the values of its hidden fields."""

    action: str
    names: set[str] = field(default_factory=set)
    hidden: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif self.forms and given.get("name"):
            self.forms[-1].names.add(given["name"])
            if given.get("type") == "hidden":
                self.forms[-1].hidden[given["name"]] = given.get("value", "")


def forms(page: str) -> list[Form]:
    """Return the forms of a page, in order."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


def hidden_fields(page: str, having: str = "", action: str = "") -> dict[str, str]:
    """Return the hidden fields of the first matching form.

    The form must have a field `having`, and its URL must end with `action`.
    """
    for form in forms(page):
        if form.action.endswith(action) and (not having or having in form.names):
            return dict(form.hidden)
    raise AssertionError(f"no form with {having!r} for {action!r} among {forms(page)}")


def ids(page: str) -> list[str]:
    """Return the ids of a page's elements, in order: the possible targets of a fragment."""
    return re.findall(r'\sid="([^"]+)"', page)


def words(page: str) -> str:
    """Return the visible text of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
