"""An attorney erases a lead by typing its reference; an anonymous record stays."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from leadapp import tokens
from leadapp.clock import now
from leadapp.errors import NotFound
from leadapp.extensions import db
from leadapp.leads import erasure
from leadapp.models.accounts import User
from leadapp.models.columns import Base
from leadapp.models.leads import Erasure, Event, Lead, Submission
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from leadapp.resumes.store import store
from tests.clients import Client
from tests.factories import LeadFactory
from tests.integration.desk import LIST, address, press, submit
from tests.integration.together import THREADS, together
from tests.pages import words

EMAIL = "ana@example.com"


@pytest.fixture
def lead(signed_in: Client) -> Lead:
    """A lead with two submissions that an attorney has opened."""
    for _ in range(2):
        submit(signed_in, EMAIL)
    made = db.session.scalars(select(Lead)).one()
    signed_in.get(address(made))
    signed_in.get(address(made, "/resume"))
    return made


def rows(*tables: type[Base]) -> list[int]:
    counts = []
    for table in tables:
        counting = select(func.count()).select_from(table)
        counts.append(db.session.scalar(counting) or 0)
    return counts


def erase(browser: Client, lead: Lead, reference: str | None) -> TestResponse:
    return press(browser, browser.get(address(lead, "/erase")), "/erase", reference=reference)


def test_looking_at_the_page_erases_nothing(signed_in: Client, lead: Lead) -> None:
    page = words(signed_in.get(address(lead, "/erase")).text)
    assert "Erase this lead" in page
    assert f"To confirm, type {lead.reference}" in page
    assert "2 resumes" in page
    assert rows(Lead, Erasure) == [1, 0]


@pytest.mark.parametrize("typed", ["", None, "LD-2222-2222", "yes", "x" * 200])
def test_another_reference_erases_nothing(signed_in: Client, lead: Lead, typed: str | None) -> None:
    answer = erase(signed_in, lead, typed)
    told = f"To erase this lead, type its reference: {lead.reference}"
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert f'<a href="#reference">{told}</a>' in answer.text
    assert f'id="reference-error">{told}</p>' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert rows(Lead, Submission, Erasure) == [1, 2, 0]


def test_a_copied_reference_may_have_invisible_characters(signed_in: Client, lead: Lead) -> None:
    assert erase(signed_in, lead, f"\u200b{lead.reference.lower()}\u2060 ").status_code == 303
    assert rows(Lead, Erasure) == [0, 1]


def test_erasing_takes_all_and_leaves_a_record_without_a_name(
    signed_in: Client, lead: Lead, attorney: User
) -> None:
    keys = [sent.storage_key for sent in lead.submissions]
    path = address(lead)
    reference = lead.reference
    lead_id = lead.id
    receipt = f"/receipt/{tokens.sign_page('receipt', lead.newest.id)}"
    assert signed_in.get(receipt).status_code == 200
    answer = erase(signed_in, lead, f" {reference.lower()} ")
    assert (answer.status_code, answer.location) == (303, LIST)
    assert f"{reference} was erased" in words(signed_in.get(LIST).text)
    assert rows(Lead, Submission, Letter, Event, Erasure) == [0, 0, 0, 0, 1]
    record = db.session.scalars(select(Erasure)).one()
    assert (record.id, record.user_id) == (lead_id, attorney.id)
    assert record.request_id
    for gone in (path, f"{path}/resume", f"{path}/erase", receipt):
        assert signed_in.get(gone).status_code == 404
    for hours, there in ((1.9, [True, True]), (3, [False, False])):
        with time_machine.travel(now() + timedelta(hours=hours)):
            maintenance.sweep()
        assert [is_stored(key) for key in keys] == there


def is_stored(key: str) -> bool:
    try:
        store.open(key).close()
    except NotFound:
        return False
    return True


def test_others_keep_all_they_have(signed_in: Client, lead: Lead) -> None:
    other = LeadFactory.create()
    signed_in.get(address(other))
    assert signed_in.get(f"{LIST}export.csv").status_code == 200
    before = words(signed_in.get(address(other)).text).partition("History")[2]
    erase(signed_in, lead, lead.reference)
    after = words(signed_in.get(address(other)).text).partition("History")[2]
    assert after == before
    assert "Lead opened" in after
    assert "Exported in a list" in after


def test_the_same_person_may_write_again(signed_in: Client, lead: Lead) -> None:
    first = (lead.id, lead.reference)
    erase(signed_in, lead, lead.reference)
    assert submit(signed_in, EMAIL).status_code == 201
    again = db.session.scalars(select(Lead)).one()
    assert again.submission_count == 1
    assert first[0] != again.id
    assert "New" in words(signed_in.get(LIST).text)


def test_eight_who_erase_one_lead_erase_it_once(app: Flask, lead: Lead) -> None:
    lead_id, reference = lead.id, lead.reference
    db.session.rollback()

    def act(_: int) -> str:
        with app.app_context():
            try:
                erasure.erase_by_reference(lead_id, None, reference)
            except NotFound as gone:
                return str(gone)
            return "erased"

    answers = sorted(together(act))
    assert answers.pop() == "erased"
    unknown = "This lead was not found; it may have been erased"
    assert answers == [unknown] * (THREADS - 1)
    assert rows(Lead, Submission, Letter, Erasure) == [0, 0, 0, 1]
