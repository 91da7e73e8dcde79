"""The markup that a browser, a password manager and a screen reader rely on."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError

from leadapp.resumes.formats import CONTENT_TYPES
from tests.clients import Client

pytestmark = pytest.mark.databases("sqlite")
VOID = {"input", "meta", "link", "br", "img", "hr"}
Attributes = dict[str, str | None]


class Inputs(HTMLParser):
    """The inputs of a page by name, and the attributes of all elements that enclose each one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, Attributes] = {}
        self.around: dict[str, list[Attributes]] = {}
        self._open: list[Attributes] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "input" and given.get("name"):
            name = str(given["name"])
            self.found[name] = given
            self.around[name] = list(self._open)
        if tag not in VOID:
            self._open.append(given)

    def handle_endtag(self, _tag: str) -> None:
        self._open.pop()


@pytest.fixture
def form(client: Client) -> Inputs:
    return Inputs(client.get("/").text)


def test_a_name_that_a_template_does_not_know_is_an_error(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError):
        render_template_string("{{ no_such_name }}")


@pytest.mark.parametrize(
    ("field", "purpose"),
    [
        ("first_name", "given-name"),
        ("last_name", "family-name"),
        ("email", "email"),
    ],
)
def test_a_browser_knows_how_to_fill_a_field_in(form: Inputs, field: str, purpose: str) -> None:
    assert form.found[field]["autocomplete"] == purpose
    assert form.found[field]["spellcheck"] == "false"
    assert "placeholder" not in form.found[field]


def test_the_e_mail_field_opens_the_keyboard_for_addresses(form: Inputs) -> None:
    email = form.found["email"]
    assert email["type"] == "email"
    assert email["inputmode"] == "email"
    assert email["autocapitalize"] == "none"


def test_the_file_field_accepts_endings_and_types(form: Inputs) -> None:
    accepted = form.found["resume"]["accept"] or ""
    assert accepted.split(",") == list(CONTENT_TYPES) + list(CONTENT_TYPES.values())


def test_the_trap_for_robots_is_hidden_from_people_and_from_autofill(
    client: Client, form: Inputs
) -> None:
    trap = form.found["website"]
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")
    around = form.around["website"]
    [hidden] = [element for element in around if element.get("aria-hidden") == "true"]
    sheet = client.get("/theme.css").text
    [rule] = re.findall(rf"\.{hidden['class']}\s*{{([^}}]*)}}", sheet)
    assert "position:absolute" in rule.replace(" ", "")


def test_every_field_is_tied_to_its_hint(client: Client, form: Inputs) -> None:
    page = client.get("/").text
    for name in ("email", "resume"):
        ids = (form.found[name]["aria-describedby"] or "").split()
        assert ids
        assert all(f'id="{each}"' in page for each in ids)


def test_the_form_leaves_checks_to_the_server(client: Client) -> None:
    [form] = re.findall(r"<form[^>]*>", client.get("/").text)
    assert " novalidate" in form
    assert 'enctype="multipart/form-data"' in form
