"""An attorney's desk: what comes in, what stands on its pages, what its buttons do, and what is stored then."""

import io
from urllib.parse import urlsplit

from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp.extensions import db
from leadapp.models import Event, Lead
from tests import samples
from tests.clients import Client
from tests.pages import forms

LIST = "/dashboard/"


def submit(browser: Client, email: str, filename: str = "cv.pdf") -> TestResponse:
    """Somebody sends details and a resume."""
    details = {"first_name": "Ana", "last_name": "Ruiz", "email": email}
    return browser.post(
        "/api/v1/leads", data=details | {"resume": (io.BytesIO(samples.pdf()), filename)}
    )


def address(lead: Lead, ending: str = "") -> str:
    """Where a lead has its page."""
    return f"/dashboard/leads/{lead.id}{ending}"


def press(browser: Client, page: TestResponse, ending: str, **changed: str | None) -> TestResponse:
    """Press a button of the first form that goes to an address with this ending; None leaves a field out."""
    form = next(form for form in forms(page.text) if urlsplit(form.action).path.endswith(ending))
    fields = {name: value for name, value in (form.hidden | changed).items() if value is not None}
    return browser.post(form.action, data=fields)


def mark(browser: Client, page: TestResponse, **changed: str | None) -> TestResponse:
    """Mark the first lead of a page that can be marked."""
    return press(browser, page, "/reached-out", **changed)


def kinds() -> list[str]:
    """What has happened so far."""
    return list(db.session.scalars(select(Event.kind).order_by(Event.id)))


def stored() -> Lead:
    """The only lead there is."""
    return db.session.scalars(select(Lead)).one()
