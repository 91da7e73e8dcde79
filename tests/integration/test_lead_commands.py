"""`flask lead` and `flask purge` list, export and erase leads."""

import csv
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.leads import Erasure, Event, Lead, Submission
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from tests.factories import LeadFactory, LetterFactory, SubmissionFactory
from tests.integration.test_upkeep import run


def left() -> list[str]:
    names = select(Lead.first_name).order_by(Lead.first_name)
    return list(db.session.scalars(names))


@pytest.mark.databases("sqlite")
def test_leads_are_listed_as_the_list_shows_them(app: Flask) -> None:
    done = LeadFactory.create(first_name="Zoë", reached_out=True)
    waits = LeadFactory.create(created_at=now() - timedelta(hours=5))
    told = run(app, "lead", "list")
    first, second = told.stdout.splitlines()
    assert first.split("\t") == [
        str(done.id),
        done.reference,
        "REACHED_OUT",
        "-",
        done.full_name,
        done.email,
    ]
    assert second.split("\t") == [
        str(waits.id),
        waits.reference,
        "PENDING",
        "5 h",
        waits.full_name,
        waits.email,
    ]
    assert told.stderr == "page 1 of 1, 2 in total\n"
    pending = run(app, "lead", "list", "--status", "PENDING", "--json")
    [lead] = json.loads(pending.stdout)
    assert lead["id"] == str(waits.id)
    assert lead["status"] == "PENDING"
    assert lead["reached_out_at"] is None
    found = run(app, "lead", "list", "--q", "zoe", "--size", "1")
    assert found.stdout.startswith(str(done.id))


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--status", "GONE", "is not one of 'PENDING', 'REACHED_OUT'"),
        ("--size", "1000", "is not in the range 1<=x<=100"),
        ("--page", "x", "is not a valid integer"),
    ],
)
def test_a_list_typed_wrong_is_wrong_use(app: Flask, option: str, value: str, words: str) -> None:
    refused = run(app, "lead", "list", option, value)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert words in refused.stderr


@pytest.mark.databases("sqlite")
def test_leads_are_exported_and_that_is_written_down(app: Flask) -> None:
    lead = LeadFactory.create()
    LeadFactory.create(reached_out=True)
    exported = run(app, "lead", "export", "--status", "PENDING")
    lines = exported.stdout.removeprefix("\ufeff").splitlines()
    [row] = csv.DictReader(lines)
    assert row["Reference"] == lead.reference
    assert row["E-mail"] == lead.email
    [event] = db.session.scalars(select(Event)).all()
    assert (event.kind, event.user_id) == ("exported", None)


def test_a_lead_is_erased_by_who_knows_its_reference(app: Flask) -> None:
    gone = LeadFactory.create()
    stays = LeadFactory.create(first_name="Zoë")
    LetterFactory.create(submission=gone.submissions[0])

    def erase(*options: str) -> Result:
        return run(app, "lead", "erase", str(gone.id), *options)

    assert erase().exit_code == 2
    refused = erase("--reference", stays.reference)
    assert refused.exit_code == 1
    assert gone.reference in refused.stderr
    erased = erase("--reference", gone.reference.lower())
    assert erased.stdout == f"erased: {gone.reference}\n"
    assert left() == ["Zoë"]
    assert db.session.scalars(select(Letter)).all() == []
    [record] = db.session.scalars(select(Erasure)).all()
    assert (record.id, record.user_id) == (gone.id, None)
    assert "This lead was not found" in erase("--reference", gone.reference).stderr
    assert run(app, "lead", "erase", "LD-1").exit_code == 2


def test_a_purge_takes_whom_nobody_has_heard_of_for_long(app: Flask) -> None:
    year = now() - timedelta(days=366)
    LeadFactory.create(first_name="Old", created_at=year)
    LeadFactory.create(
        first_name="Marked lately", created_at=year, updated_at=now(), reached_out=True
    )
    again = LeadFactory.create(first_name="Wrote again", created_at=year)
    lately = now() - timedelta(days=3)
    SubmissionFactory.create(lead=again, created_at=lately)
    less_than_a_year = now() - timedelta(days=364)
    LeadFactory.create(first_name="New", created_at=less_than_a_year)
    assert run(app, "purge", "--older-than", "365d", "--dry-run").stdout == "would be erased: 2\n"
    assert len(left()) == 4
    assert run(app, "purge", "--older-than", "365d").stdout == "erased: 2\n"
    assert left() == ["New", "Wrote again"]
    erasures = db.session.scalars(select(Erasure)).all()
    assert len(erasures) == 2
    submissions = db.session.scalars(select(Submission)).all()
    assert len(submissions) == 3
    assert run(app, "purge").exit_code == 2


def test_a_purge_leaves_who_writes_at_this_moment(app: Flask) -> None:
    year = now() - timedelta(days=366)
    lead_id = LeadFactory.create(created_at=year).id

    def written_meanwhile(found: Iterable[Any]) -> Iterable[Any]:
        lead = db.session.get_one(Lead, lead_id)
        lead.updated_at = now()
        db.session.commit()
        return found

    assert maintenance.purge(timedelta(days=365), written_meanwhile) == 0
    assert len(left()) == 1
