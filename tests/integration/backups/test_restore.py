"""A backup is restored completely into an empty site, without people erased since."""

import gzip
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import bindparam, select, text

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import erasure, search
from leadapp.models.accounts import Login, User
from leadapp.models.columns import UTCDateTime
from leadapp.models.leads import Erasure, Lead, LeadStatus
from leadapp.operations import backup
from tests.crowd import gather
from tests.factories import LeadFactory
from tests.integration.backups.places import files, inside, over, rows
from tests.integration.test_upkeep import run
from tests.servers import PROGRAMS
from tests.stored import keys

OLD_USER = """
    INSERT INTO users (
        id, username, username_key, email, email_key, hashed_password, is_active, created_at
    )
    VALUES (:id, 'Ana', 'ana', 'ana@example.com', 'ana@example.com', '', true, :at)
"""


def zoe() -> Lead:
    """Return the lead that these tests erase."""
    named = select(Lead).where(Lead.first_name == "Zoë")
    return db.session.scalars(named).one()


def test_a_backup_comes_back_whole(
    firm: Flask, saved: Path, empty_place: Callable[..., Flask]
) -> None:
    before, stored = rows(), files()
    assert len(stored) == 3
    place = empty_place()
    told = over(place, "restore", str(saved))
    assert told.exit_code == 0, told.output
    assert "leads: 2\n" in told.stdout
    with inside(place):
        assert rows() == before
        assert files() == stored
        logins = db.session.scalars(select(Login)).all()
        assert logins == [], "a login that was signed out since must not come back"
        assert search.Query().counts(None) == {
            LeadStatus.PENDING: 1,
            LeadStatus.REACHED_OUT: 1,
        }
        LeadFactory.create()
        assert search.search(search.Query()).total.number == 3


@pytest.mark.databases("sqlite")
def test_a_backup_that_is_not_compressed_comes_back_too(
    firm: Flask, saved: Path, empty_place: Callable[..., Flask]
) -> None:
    before, dumped = rows(), saved / "database"
    dumped.write_bytes(gzip.decompress(dumped.read_bytes()))
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["database"]["sha256"] = hashlib.sha256(dumped.read_bytes()).hexdigest()
    (saved / "manifest.json").write_text(json.dumps(manifest))
    place = empty_place()
    assert over(place, "restore", str(saved)).exit_code == 0
    with inside(place):
        assert rows() == before


@pytest.mark.databases("sqlite")
def test_a_backup_is_smaller_than_the_database(app: Flask, tmp_path: Path) -> None:
    gather(3000)
    made = backup.back_up(tmp_path / "made")
    assert {path.name for path in made.folder.iterdir()} == {"database", "files", "manifest.json"}
    database = Path(str(db.engine.url.database))
    assert (made.folder / "database").stat().st_size < database.stat().st_size / 2


@pytest.mark.databases("postgres")
def test_the_tools_of_postgresql_15_will_do(
    firm: Flask, empty_place: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = (
        "#!/bin/sh\n"
        "case $1 in *sslcertmode*) echo invalid connection option >&2; exit 1; esac\n"
        'exec {} "$@"\n'
    )
    for tool in ("pg_dump", "pg_restore"):
        (tmp_path / tool).write_text(older.format(PROGRAMS / tool))
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    folder = str(tmp_path / "made")
    assert run(firm, "backup", folder).exit_code == 0
    assert over(empty_place(), "restore", folder).exit_code == 0


def test_who_was_erased_since_stays_erased(
    firm: Flask, saved: Path, empty_place: Callable[..., Flask]
) -> None:
    gone = zoe()
    lead_id, key = gone.id, gone.newest.storage_key
    assert run(firm, "lead", "erase", str(lead_id), "--reference", gone.reference).exit_code == 0
    # This backup copies the list of erased leads into the folder of the backups.
    run(firm, "backup", str(saved.parent / "tuesday"))
    manifest = json.loads((saved / "manifest.json").read_text())
    assert str(lead_id) in manifest["files"][key].values()
    place = empty_place()
    assert over(place, "restore", str(saved)).exit_code == 0
    with inside(place):
        assert [lead.first_name for lead in db.session.scalars(select(Lead))] == ["Ana"]
        assert key not in keys()
        assert len(files()) == 2
        [record] = db.session.scalars(select(Erasure))
        assert record.id == lead_id


def test_the_list_of_erased_is_written_at_once(
    firm: Flask, saved: Path, empty_place: Callable[..., Flask]
) -> None:
    gone = zoe()
    erasure.erase(gone.id)
    listed = Path(firm.config["BACKUP_DIR"]) / "erased"
    assert listed.read_text().split()[0] == str(gone.id)
    assert listed.stat().st_mode & 0o777 == 0o600
    place = empty_place(BACKUP_DIR=firm.config["BACKUP_DIR"])
    assert over(place, "restore", str(saved)).exit_code == 0
    with inside(place):
        assert db.session.get(Lead, gone.id) is None


@pytest.mark.databases("sqlite")
def test_a_torn_line_of_the_list_stops_nothing(
    firm: Flask, saved: Path, empty_place: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    listed = saved.parent / "erased"
    torn = f"{uuid.uuid4()} 2026-11-22T10:0"
    listed.write_text(f"\n{uuid.uuid4()} 2026-11-22T10:00:01\n{torn}")
    gone = zoe()
    erasure.erase(gone.id)
    assert run(firm, "backup", str(saved.parent / "tuesday")).exit_code == 0
    assert torn in listed.read_text().splitlines()
    assert caplog.text.count(f"a line of {listed} cannot be read") == 2
    place = empty_place()
    assert over(place, "restore", str(saved)).exit_code == 0
    with inside(place):
        assert [lead.first_name for lead in db.session.scalars(select(Lead))] == ["Ana"]


def test_an_erasure_does_not_wait_for_its_list(
    firm: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(firm.config, "BACKUP_DIR", "/proc/nowhere")
    gone = zoe()
    assert erasure.erase(gone.id)
    assert "is not on the list beside the backups" in caplog.text
    backup.back_up(tmp_path / "next")
    assert list(erasure.read_list(tmp_path)) == [gone.id]
    backup.back_up(tmp_path / "after")
    assert len((tmp_path / "erased").read_text().splitlines()) == 1


def test_a_backup_made_before_an_upgrade_is_brought_up_to_date(
    empty_place: Callable[..., Flask], tmp_path: Path
) -> None:
    old, new = empty_place(), empty_place()
    assert over(old, "db", "upgrade", "0003").exit_code == 0
    with inside(old):
        created = bindparam("at", type_=UTCDateTime())
        user = {"id": uuid.uuid4().hex, "at": now()}
        db.session.execute(text(OLD_USER).bindparams(created), user)
        db.session.commit()
    assert over(old, "backup", str(tmp_path / "old")).exit_code == 0
    assert "revision: 0003" in over(new, "restore", str(tmp_path / "old")).stdout
    assert "ok    migrations:" in over(new, "doctor").stdout
    with inside(new):
        assert db.session.scalars(select(User.username)).one() == "Ana"
