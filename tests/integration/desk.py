"""Helpers that submit leads, press buttons on the attorneys' pages and read the database."""

import io
from urllib.parse import urlsplit

from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.models.leads import Event, Lead
from tests import samples
from tests.clients import Client
from tests.pages import forms

LIST = "/dashboard/"


def submit(browser: Client, email: str, filename: str = "cv.pdf") -> TestResponse:
    """Submit details and a resume."""
    details = {"first_name": "Ana", "last_name": "Ruiz", "email": email}
    return browser.post(
        "/api/v1/leads", data=details | {"resume": (io.BytesIO(samples.pdf()), filename)}
    )


def address(lead: Lead, ending: str = "") -> str:
    """Return the path of a lead's page."""
    return f"/dashboard/leads/{lead.id}{ending}"


def press(browser: Client, page: TestResponse, ending: str, **changed: str | None) -> TestResponse:
    """Submit the first form with an action of this ending; None leaves a field out."""
    form = next(form for form in forms(page.text) if urlsplit(form.action).path.endswith(ending))
    fields = {name: value for name, value in (form.hidden | changed).items() if value is not None}
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
