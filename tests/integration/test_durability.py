"""A submission is on disk before it is answered: the order of writes, and the pragmas."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

from leadapp.extensions import db
from tests.clients import Client
from tests.integration.desk import submit

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, app: Flask) -> Iterator[list[str]]:
    """The calls that write to disk, in order."""
    seen: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append("fsync of the folder" if folder else "fsync of the file")
        fsync(descriptor)

    def noted_rename(source: str, target: Path) -> None:
        seen.append("rename")
        rename(source, target)

    def noted_commit(_connection: object) -> None:
        seen.append("commit")

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    event.listen(db.engine, "commit", noted_commit)
    yield seen
    event.remove(db.engine, "commit", noted_commit)


def test_the_file_is_on_the_disk_before_its_row(client: Client, steps: list[str]) -> None:
    assert submit(client, "ana@example.com").status_code == 201
    assert steps == ["fsync of the file", "rename", "fsync of the folder", "commit"]


def test_sqlite_waits_for_the_disk_at_each_commit(app: Flask) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys")
    with db.engine.connect() as connection:
        pragmas = {name: connection.scalar(text(f"PRAGMA {name}")) for name in names}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.databases("postgres")
def test_postgresql_keeps_its_own_settings(app: Flask) -> None:
    names = ("synchronous_commit", "fsync", "full_page_writes")
    ours = text("SELECT name, setting, reset_val FROM pg_settings WHERE name = ANY(:names)")
    with db.engine.connect() as connection:
        rows = connection.execute(ours, {"names": list(names)}).all()
    assert len(rows) == len(names)
    assert [row for row in rows if row.setting != row.reset_val] == []
