"""The list as CSV: its columns, escaped formulas, and streaming row by row."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import Dialect, String, TypeDecorator, text, type_coerce

from leadapp.extensions import db
from leadapp.leads import export, search
from leadapp.models.accounts import User
from leadapp.models.leads import Lead, LeadStatus
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import LIST, address, kinds
from tests.pages import words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPORT = f"{LIST}export.csv"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM")


def rows(browser: Client, query: str = "?status=&sort_by=created_at") -> list[dict[str, str]]:
    """Return the rows of the export, parsed as CSV."""
    answer = browser.get(EXPORT + query)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    content = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def test_every_fact_has_its_column(
    app: Flask, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "TIMEZONE", ZoneInfo("America/New_York"))
    names = {"first_name": "José, “Pepe”", "last_name": "Álvarez\u00a0李"}
    lead = LeadFactory.create(
        **names, email="jose@example.com", created_at=NOON, reference="LD-7K4M-92QX"
    )
    SubmissionFactory.create(lead=lead)
    marker = LeadFactory.create(
        reached_out=True, reached_out_at=NOON + timedelta(hours=14), created_at=NOON
    ).marked_by
    assert marker is not None
    zone = "(America/New_York)"
    waiting, contacted = rows(signed_in, "?status=&sort_by=status&sort_desc=false")
    assert waiting == {
        "Reference": "LD-7K4M-92QX",
        "First name": names["first_name"],
        "Last name": names["last_name"],
        "E-mail": "jose@example.com",
        "Status": "PENDING",
        "Submissions": "2",
        f"Received {zone}": "2026-03-01 07:00",
        f"Waiting since {zone}": "2026-03-01 07:00",
        f"Reached out {zone}": "",
        "Reached out by": "",
    }
    assert contacted["Status"] == "REACHED_OUT"
    assert contacted["Reached out by"] == marker.username
    assert contacted[f"Reached out {zone}"] == "2026-03-01 21:00"


def test_a_spreadsheet_program_finds_letters_and_lines(signed_in: Client) -> None:
    LeadFactory.create(first_name="Łukasz")
    answer = signed_in.get(EXPORT)
    assert answer.data.startswith("\ufeffReference,".encode())
    assert answer.data.count(b"\r\n") == 2
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=leads.csv"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in answer.headers  # the answer is streamed


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("formula", FORMULAS)
def test_nothing_in_it_is_a_formula(signed_in: Client, formula: str) -> None:
    LeadFactory.create(first_name=formula, last_name=f"O'Brien {formula}", email="=cmd@example.com")
    [row] = rows(signed_in)
    assert row["First name"] == f"'{formula}"
    assert row["E-mail"] == "'=cmd@example.com"
    assert row["Last name"] == f"O'Brien {formula}"


def test_the_filter_and_the_order_of_the_list_are_kept(signed_in: Client) -> None:
    for number in range(12):
        done = number % 3 == 0
        LeadFactory.create(first_name="Ana", last_name=f"R{number:02}", reached_out=done)
    LeadFactory.create(first_name="Zoe", email="zoe@example.com")
    found = rows(signed_in, "?status=PENDING&q=ana&sort_by=last_name&sort_desc=true&size=10&page=2")
    assert [row["Last name"] for row in found] == [
        "R11",
        "R10",
        "R08",
        "R07",
        "R05",
        "R04",
        "R02",
        "R01",
    ]
    assert len(rows(signed_in)) == 13
    assert len(rows(signed_in, "")) == 9  # the default list
    assert rows(signed_in, "?q=nobody") == []


def test_who_took_the_list_is_written_down_once(signed_in: Client, attorney: User) -> None:
    before = [LeadFactory.create() for _ in range(3)]
    assert len(rows(signed_in)) == 3
    later = LeadFactory.create()
    assert kinds() == ["exported"]
    story = f"Exported in a list by {attorney.username}"
    for lead in before:
        assert story in words(signed_in.get(address(lead)).text)
    assert story not in words(signed_in.get(address(later)).text)


class Noted(TypeDecorator[str]):
    """A text whose every read from the database is noted."""

    impl = String
    cache_ok = True
    read: ClassVar[list[str | None]] = []

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        self.read.append(value)
        return value


def test_the_first_rows_leave_before_the_last_are_read(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    noted: Any = type_coerce(Lead.reference, Noted)
    monkeypatch.setattr(export, "COLUMNS", [export.Column("Reference", noted)])
    for _ in range(7):
        LeadFactory.create()
    Noted.read.clear()
    pieces = export.export_csv(search.Query(LeadStatus.PENDING), None)
    left = [(piece.count("LD-"), len(Noted.read)) for piece in pieces]
    assert left == [(0, 0), (2, 2), (2, 4), (2, 6), (1, 7)]


@pytest.mark.databases("postgres")
def test_postgresql_keeps_the_rows_that_are_not_read_yet(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    for _ in range(5):
        LeadFactory.create()
    pieces = export.export_csv(search.Query(), None)
    assert [next(pieces).count("LD-"), next(pieces).count("LD-")] == [0, 2]
    assert db.session.scalar(text("SELECT count(*) FROM pg_cursors")) == 1
    assert sum(piece.count("LD-") for piece in pieces) == 3
