"""`flask seed-demo` adds leads of fictitious people."""

import zipfile

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.accounts import User
from leadapp.models.leads import Event, Lead, LeadStatus, Submission
from leadapp.models.letters import Letter
from leadapp.resumes.inspect import inspect
from leadapp.resumes.store import store
from tests.clients import Client
from tests.integration.desk import LIST
from tests.pages import words


def seed(app: Flask, *arguments: str) -> Result:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["seed-demo", *arguments])
    db.session.expire_all()
    return result


def count(table: type[object]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_leads_are_added_once(app: Flask, signed_in: Client, attorney: User) -> None:
    made = seed(app, "--leads", "60")
    assert (made.exit_code, made.stdout) == (0, "added: 60\n")
    assert seed(app, "--leads", "60").stdout == "added: 0\n"
    assert seed(app, "--leads", "62").stdout == "added: 2\n"
    assert count(Lead) == 62
    assert count(Submission) == 62
    assert count(Letter) == 0
    emails = db.session.scalars(select(Lead.email))
    assert {email.rpartition("@")[2] for email in emails} == {"example.com"}
    assert "All 62" in words(signed_in.get(LIST).text)


def test_some_wait_and_some_do_not_as_in_a_firm(app: Flask, attorney: User) -> None:
    seed(app, "--leads", "80")
    leads = db.session.scalars(select(Lead)).all()
    waiting = [lead for lead in leads if lead.status == LeadStatus.PENDING]
    assert 40 <= len(waiting) < 60
    assert all(lead.created_at <= now() for lead in leads)
    for lead in leads:
        events = select(Event.kind).where(Event.lead_id == lead.id)
        kinds = db.session.scalars(events.order_by(Event.created_at)).all()
        if lead in waiting:
            assert kinds == ["submitted"]
            assert lead.reached_out_at is None
            assert lead.seen_at is None
        else:
            assert kinds == ["submitted", "marked"]
            assert lead.reached_out_at
            assert lead.created_at < lead.reached_out_at <= now()
            assert lead.reached_out_by == attorney.id
    assert len({lead.full_name for lead in leads}) > 70


def test_every_resume_can_be_read(app: Flask, signed_in: Client) -> None:
    seed(app, "--leads", "8")
    for sent in db.session.scalars(select(Submission)).all():
        with store.open(sent.storage_key) as file:
            assert inspect(file, sent.filename).sha256 == sent.sha256
            file.seek(0)
            assert len(file.read()) == sent.size
            if sent.filename.endswith(".docx"):
                assert zipfile.ZipFile(file).testzip() is None
        assert sent.filename.startswith(f"{sent.first_name} {sent.last_name}.")
        assert signed_in.get(f"/dashboard/leads/{sent.lead_id}/resume").status_code == 200
    filenames = db.session.scalars(select(Submission.filename))
    assert {filename[-4:] for filename in filenames} == {".pdf", "docx"}


@pytest.mark.databases("sqlite")
def test_without_an_account_nobody_is_said_to_have_reached_out(app: Flask) -> None:
    seed(app, "--leads", "50")
    reached_out = select(Lead).where(Lead.status == LeadStatus.REACHED_OUT)
    leads = db.session.scalars(reached_out)
    assert [lead.reached_out_by for lead in leads][:1] == [None]


@pytest.mark.databases("sqlite")
def test_production_is_no_place_for_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "ENVIRONMENT", "production")
    refused = seed(app)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: Demo leads cannot be added in production\n"
    assert count(Lead) == 0


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("leads", ["0", "5001", "many"])
def test_a_number_that_makes_no_sense_is_wrong_usage(app: Flask, leads: str) -> None:
    assert seed(app, "--leads", leads).exit_code == 2
