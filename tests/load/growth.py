"""Prints what the dashboard's pages cost among 100,000 leads against 1,000: `python -m tests.load.growth`."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import flask_migrate
from flask.testing import FlaskClient
from sqlalchemy import select

from leadapp import accounts, create_app, log
from leadapp.extensions import db
from leadapp.models import Lead
from leadapp.triage.figures import _counted
from tests.crowd import gather
from tests.factories import PASSWORD
from tests.pages import hidden_fields
from tests.servers import ROOT

FEW, MANY = 1_000, 100_000
GOAL = 2.0
TURNS, ROUNDS = 4, 25
# What stands in braces is of the firm: its last page, and the e-mail and the page of one of its leads.
PAGES = {
    "first": "/dashboard/",
    "last": "/dashboard/?status=&page={last}&size=25",
    "filtered": "/dashboard/?status=REACHED_OUT&sort_by=last_name",
    "searched": "/dashboard/?q={email}",
    "a lead": "/dashboard/leads/{lead}?status=&sort_by=email",
    "middle": "/dashboard/?status=&page={middle}&size=25",
}


class Firm:
    """A firm with so many leads, in this process, over SQLite in a file of its own."""

    def __init__(self, folder: Path, leads: int, stack: ExitStack) -> None:
        app = create_app({"INSTANCE_PATH": str(folder), "SECRET_KEY": "g" * 40, "RATELIMIT_ENABLED": "false"})
        log.logger.setLevel("WARNING")
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            gather(leads)
            accounts.create("ana", "ana@example.com", PASSWORD)
            lead = db.session.scalars(select(Lead).order_by(Lead.email_key).offset(leads // 3)).first()
            assert lead
            self.names = {"lead": lead.id, "email": lead.email, "last": leads // 25, "middle": leads // 50}
            stack.callback(db.engine.dispose)
        self.browser: FlaskClient = app.test_client()
        fields = hidden_fields(self.browser.get("/auth/login").text, having="password")
        self.browser.post("/auth/login", data=fields | {"username": "ana", "password": PASSWORD})

    def spend(self, page: str) -> list[float]:
        """Ask for a page and give the CPU seconds of each answer but the first, which counts the minute's figures."""
        spent = []
        for _ in range(ROUNDS):
            start = time.process_time()
            answer = self.browser.get(page.format(**self.names))
            spent.append(time.process_time() - start)
            assert answer.status_code == 200
        return spent[1:]


def main() -> None:
    """Ask both firms in turn, and compare the medians."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        firms = [Firm(Path(folder) / str(leads), leads, stack) for leads in (FEW, MANY)]
        for name, page in PAGES.items():
            costs: list[list[float]] = [[], []]
            for _ in range(TURNS):
                for firm, spent in zip(firms, costs, strict=True):
                    _counted.cache_clear()
                    spent.extend(firm.spend(page))
            few, many = (1000 * median(spent) for spent in costs)
            told = "" if name == "middle" else f", {'within' if many / few <= GOAL else 'NOT within'} {GOAL:.0f}"
            print(f"{name:9} {few:6.2f} ms {many:6.2f} ms CPU, ratio {many / few:.2f}{told}")  # noqa: T201  # its purpose


if __name__ == "__main__":
    main()
