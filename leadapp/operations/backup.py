"""Backups: a snapshot of the database, every file it names, and a manifest with their digests."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, delete, func, inspect, select, table

from ..clock import now
from ..codes import Code
from ..config import settings
from ..errors import Conflict, NotFound
from ..extensions import db, migrate
from ..leads import erasure
from ..models.accounts import Login, User
from ..models.leads import Erasure, Lead, Submission
from ..resumes.store import store
from . import dump

MANIFEST, DATABASE, FILES = "manifest.json", "database", "files"
# Wraps an iterable to show progress.
Watch = Callable[[Iterable[Any]], Iterable[Any]]


def back_up(folder: Path | None = None, watch: Watch = iter) -> tuple[Path, list[str]]:
    """Write a backup into a new folder, by default in BACKUP_DIR.

    Returns the folder, and the keys of the files that storage has lost or changed.

    The database comes first. Files never change, and the sweep deletes only files that no row
    names, so each file in the snapshot is still in storage. The manifest comes last: a folder
    without a manifest is not a backup.
    """
    folder = folder or Path(settings["BACKUP_DIR"]) / f"{now():%Y-%m-%dT%H-%M-%SZ}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        return folder, _fill(folder, watch)
    except BaseException:  # includes Ctrl+C
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _fill(folder: Path, watch: Watch) -> list[str]:
    (folder / FILES).mkdir()
    with dump.snapshot() as connection:
        dump.write(connection, folder / DATABASE)
        revision = MigrationContext.configure(connection).get_current_revision()
        # The database may be older than this leadapp, so count only the tables that it has.
        counts = _counts(connection, inspect(connection).get_table_names())
        rows = connection.execute(
            select(Submission.storage_key, Submission.lead_id, Submission.sha256)
        ).all()
        erased: Sequence[Any] = ()
        if "erasures" in counts:
            erased = connection.execute(select(Erasure.id, Erasure.created_at)).all()
    files = {
        key: {"sha256": _copy(key, folder / FILES), "lead": str(lead_id)}
        for key, lead_id, _ in watch(rows)
    }
    manifest = {
        "made_at": now().isoformat(),
        "revision": revision,
        "database": {"kind": db.engine.dialect.name, "sha256": _digest(folder / DATABASE)},
        "counts": counts,
        "files": {key: file for key, file in files.items() if file["sha256"]},
    }
    os.sync()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    known = erasure.read_list(folder.parent)
    erasure.add_to_list(
        {row.id: row.created_at for row in erased if row.id not in known}, folder.parent
    )
    return [key for key, _, sha256 in rows if files[key]["sha256"] != sha256]


def verify(folder: Path, watch: Watch = iter) -> dict[str, Any]:
    """Compare a backup with its manifest and return the manifest.

    Raises NotFound without a readable manifest, and Conflict if a file is missing or differs.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        digests = {folder / FILES / key: file["sha256"] for key, file in manifest["files"].items()}
        digests[folder / DATABASE] = manifest["database"]["sha256"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotFound(Code.BACKUP_UNKNOWN, folder=folder) from error
    for path, sha256 in watch(digests.items()):
        if not path.is_file() or _digest(path) != sha256:
            raise Conflict(Code.BACKUP_DAMAGED, path=path)
    return manifest


def restore(folder: Path, watch: Watch = iter) -> dict[str, Any]:
    """Restore a verified backup into an empty database and storage, and return its manifest.

    Leaves out the leads that were erased after the backup. Ends all logins, because some of them
    were ended after the backup.
    """
    manifest = verify(folder, watch)
    _check_place(manifest)
    gone = erasure.read_list(folder.parent) | erasure.read_list(Path(settings["BACKUP_DIR"]))
    for key, file in watch(manifest["files"].items()):
        if uuid.UUID(file["lead"]) not in gone:
            with open(folder / FILES / key, "rb") as kept, store.stage() as staged:
                shutil.copyfileobj(kept, staged)
                store.keep(staged, key)
    dump.load(folder / DATABASE)
    with db.engine.connect() as connection:
        if _counts(connection, manifest["counts"]) != manifest["counts"]:
            raise Conflict(Code.BACKUP_DAMAGED, path=folder / DATABASE)
    command.upgrade(migrate.get_config(), "head")
    db.session.execute(delete(Login))
    erasure.erase_again(gone)
    return manifest


def _check_place(manifest: dict[str, Any]) -> None:
    """Raise Conflict if the backup cannot be restored here.

    The database must be of the same kind, this leadapp must know the revision of the backup, and
    the database and the storage must be empty.
    """
    if manifest["database"]["kind"] != db.engine.dialect.name:
        raise Conflict(Code.BACKUP_KIND, kind=manifest["database"]["kind"])
    try:
        ScriptDirectory.from_config(migrate.get_config()).get_revision(manifest["revision"])
    except CommandError as error:
        raise Conflict(Code.BACKUP_NEWER, revision=manifest["revision"]) from error
    there = [model for model in (User, Lead) if inspect(db.engine).has_table(model.__tablename__)]
    rows = any(db.session.scalar(select(model.id).limit(1)) for model in there)
    db.session.rollback()
    if rows or next(iter(store.keys_before(now() + timedelta(days=1))), None):
        raise Conflict(Code.RESTORE_NOT_EMPTY)


def _copy(key: str, folder: Path) -> str | None:
    """Copy a stored file and return the digest of the copy; None if storage has lost the file."""
    try:
        with store.open(key) as kept, open(folder / key, "xb") as copy:
            shutil.copyfileobj(kept, copy)
    except NotFound:
        return None
    return _digest(folder / key)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _counts(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    return {
        name: connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in tables
    }
