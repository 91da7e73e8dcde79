"""A restore refuses damaged or unsuitable backups and never overwrites data.

A backup reports files that the storage has lost.
"""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from leadapp.errors import Conflict
from leadapp.extensions import db
from leadapp.models.accounts import Login, User
from leadapp.models.leads import Event, Lead, Submission
from leadapp.models.letters import Letter
from leadapp.operations import backup
from leadapp.resumes.store import store
from tests.factories import LeadFactory, UserFactory
from tests.integration.backups.places import inside, over, rows
from tests.integration.test_upkeep import run
from tests.servers import PROGRAMS
from tests.stored import keys


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("part", ["database", "manifest.json", "files"])
def test_a_damaged_backup_is_refused(
    saved: Path, empty_place: Callable[..., Flask], part: str
) -> None:
    path = saved / part
    victims = [path]
    if path.is_dir():
        victims = list(path.iterdir())
    for victim in victims:
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        if part == "manifest.json":
            content = bytearray(b"{")
        victim.write_bytes(content)
    place = empty_place()
    for command in (("restore", "--verify"), ("restore",)):
        result = over(place, *command, str(saved))
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Traceback" not in result.stderr
    with inside(place):
        assert not keys()
    shutil.rmtree(saved)
    assert "There is no complete backup" in over(place, "restore", str(saved)).stderr


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("manifest", ["[]", '{"files": {}}', '{"files": []}'])
def test_an_incomplete_manifest_is_refused(firm: Flask, saved: Path, manifest: str) -> None:
    (saved / "manifest.json").write_text(manifest)
    result = run(firm, "restore", "--verify", str(saved))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: There is no complete backup in {saved}\n",
    )


@pytest.mark.parametrize("there", ["user", "lead", "file"])
def test_nothing_is_overwritten(
    saved: Path, firm: Flask, empty_place: Callable[..., Flask], there: str
) -> None:
    for model in (Event, Letter, Submission, Lead, Login, User):
        db.session.execute(delete(model))
    db.session.commit()
    if there != "file":
        for key in keys():
            store.delete(key)
    if there == "user":
        UserFactory.create()
    if there == "lead":
        LeadFactory.create(submission=None)
    before = rows()
    result = run(firm, "restore", str(saved))
    assert result.exit_code == 1
    assert "a restore overwrites nothing" in result.stderr
    assert rows() == before


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("revision", "9999", "The backup has database revision 9999, which this"),
        ("database", "postgresql", "is a backup of a postgresql database"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused(
    saved: Path, empty_place: Callable[..., Flask], field: str, value: str, words: str
) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    if field == "revision":
        manifest[field] = value
    else:
        manifest[field]["kind"] = value
    (saved / "manifest.json").write_text(json.dumps(manifest))
    place = empty_place()
    result = over(place, "restore", str(saved))
    assert result.exit_code == 1
    assert words in result.stderr
    with inside(place), pytest.raises(Conflict):
        backup.restore(saved)


def test_a_file_that_storage_has_lost_is_reported(firm: Flask, tmp_path: Path) -> None:
    first, second, _ = db.session.scalars(select(Submission.storage_key)).all()
    store.delete(first)
    with store.stage() as other:
        other.write(b"not what was sent")
        store.delete(second)
        store.keep(other, second)
    folder = str(tmp_path / "lossy")
    result = run(firm, "backup", folder)
    assert result.exit_code == 1
    assert result.stdout == f"{folder}\n"
    [line] = [
        line
        for line in result.stderr.splitlines()
        if line.startswith("Error: Files missing from storage or changed")
    ]
    assert set(line.split(": ")[2].split(", ")) == {first, second}
    assert run(firm, "restore", "--verify", folder).exit_code == 0


@pytest.mark.databases("sqlite")
def test_a_backup_goes_into_a_new_folder_that_only_its_owner_can_read(
    firm: Flask, saved: Path
) -> None:
    again = run(firm, "backup", str(saved))
    assert (again.exit_code, again.stderr) == (1, f"Error: {saved}: File exists\n")
    assert saved.stat().st_mode & 0o777 == 0o700
    made = json.loads(run(firm, "backup", "--json").stdout)
    assert made["lost"] == []
    named = Path(made["folder"])
    assert named.parent == Path(firm.config["BACKUP_DIR"])


@pytest.mark.databases("postgres")
def test_a_missing_or_failing_tool_is_reported(
    firm: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(firm, "backup", str(tmp_path / "a"))
    assert "pg_dump was not found; install PostgreSQL's client tools" in result.stderr
    pg_dump = tmp_path / "pg_dump"
    pg_dump.write_text(
        "#!/bin/sh\necho 'aborting because of server version mismatch' >&2; exit 1\n"
    )
    pg_dump.chmod(0o755)
    folder = str(tmp_path / "b")
    result = run(firm, "backup", folder)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "pg_dump failed: aborting because of server version mismatch" in result.stderr
    result = run(firm, "restore", "--verify", folder)
    assert "There is no complete backup" in result.stderr
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(PROGRAMS))
    result = run(firm, "backup", folder)
    assert result.exit_code == 0, "a failed backup must not block the next one"


@pytest.mark.databases("sqlite")
def test_a_disk_that_fills_while_the_database_is_copied_is_told(
    firm: Flask, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        result = run(firm, "backup", str(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be copied: ")
    assert not folder.exists()
