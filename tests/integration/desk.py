"""Helpers that submit leads, press buttons on the attorneys' pages and read the database."""

import io
import threading
from contextlib import closing
from urllib.parse import urlsplit

from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.mail.delivery import Deliverer
from leadapp.models.leads import Event, Lead
from tests import samples
from tests.clients import Client
from tests.pages import Form, forms

LIST = "/dashboard/"


def attached(content: bytes = samples.pdf(), filename: str = "cv.pdf") -> tuple[io.BytesIO, str]:
    """Return a file as the test client takes it among the fields of a form."""
    return io.BytesIO(content), filename


def deliver() -> None:
    """Deliver every e-mail that is due, as a deliverer does."""
    with closing(Deliverer()) as deliverer:
        deliverer.deliver_due(threading.Event())
    db.session.expire_all()


def submit(browser: Client, email: str, filename: str = "cv.pdf") -> TestResponse:
    """Submit details and a resume."""
    fields = {
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": email,
        "resume": attached(filename=filename),
    }
    return browser.post("/api/v1/leads", data=fields)


def address(lead: Lead, ending: str = "") -> str:
    """Return the path of a lead's page."""
    return f"/dashboard/leads/{lead.id}{ending}"


def find_form(page: TestResponse, ending: str) -> Form:
    """Return the first form whose action has a path with this ending."""
    for form in forms(page.text):
        if urlsplit(form.action).path.endswith(ending):
            return form
    raise AssertionError(f"no form for {ending!r}")


def press(browser: Client, page: TestResponse, ending: str, **changed: str | None) -> TestResponse:
    """Submit the first form with an action of this ending; None leaves a field out."""
    form = find_form(page, ending)
    fields = dict(form.hidden)
    for name, value in changed.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return browser.post(form.action, data=fields)


def mark(browser: Client, page: TestResponse, **changed: str | None) -> TestResponse:
    """Mark the first lead on a page that can be marked."""
    return press(browser, page, "/reached-out", **changed)


def kinds() -> list[str]:
    """Return the kinds of all events so far, oldest first."""
    return list(db.session.scalars(select(Event.kind).order_by(Event.id)))


def stored() -> Lead:
    """Return the only lead."""
    return db.session.scalars(select(Lead)).one()
