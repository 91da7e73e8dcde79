"""Reads what a page holds, as far as a test needs it to act like a browser."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form of a page: where it is sent, the names of its fields, and what its hidden ones hold."""

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
    """The forms of a page, in order."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


def hidden_fields(page: str, having: str = "", action: str = "") -> dict[str, str]:
    """What the first form sends along that has a field `having` and goes to an address ending in `action`."""
    for form in forms(page):
        if form.action.endswith(action) and (not having or having in form.names):
            return dict(form.hidden)
    raise AssertionError(f"no form with {having!r} for {action!r} among {forms(page)}")


def ids(page: str) -> list[str]:
    """The ids of a page's elements, in order: what an address can point to."""
    return re.findall(r'\sid="([^"]+)"', page)


def words(page: str) -> str:
    """What a person reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
