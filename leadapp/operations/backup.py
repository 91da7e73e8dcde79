"""Backups: a snapshot of the database, every file it names, and a manifest with their digests."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

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
from .progress import Progress, no_progress

MANIFEST = "manifest.json"
DATABASE = "database"
FILES = "files"


class Backup(NamedTuple):
    """The folder of a new backup, and the keys of the files that storage has lost or changed."""

    folder: Path
    lost: list[str]


def back_up(folder: Path | None = None, show_progress: Progress = no_progress) -> Backup:
    """Write a backup into a new folder, by default in BACKUP_DIR.

    The database comes first. Files never change, and the sweep deletes only files that no row
    names, so each file in the snapshot is still in storage. The manifest comes last: a folder
    without a manifest is not a backup.
    """
    if folder is None:
        folder = Path(settings.BACKUP_DIR) / f"{now():%Y-%m-%dT%H-%M-%SZ}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        lost = _fill(folder, show_progress)
    except BaseException:  # includes Ctrl+C
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Backup(folder, lost)


def _fill(folder: Path, show_progress: Progress) -> list[str]:
    """Write the backup, and return the keys of the files that storage has lost or changed."""
    (folder / FILES).mkdir()
    with dump.snapshot() as connection:
        dump.write(connection, folder / DATABASE)
        revision = MigrationContext.configure(connection).get_current_revision()
        # The database may be older than this leadapp, so count only the tables that it has.
        counts = _counts(connection, inspect(connection).get_table_names())
        stored = select(Submission.storage_key, Submission.lead_id, Submission.sha256)
        rows = connection.execute(stored).all()
        erased: dict[uuid.UUID, datetime] = {}
        if "erasures" in counts:
            recorded = connection.execute(select(Erasure.id, Erasure.created_at))
            erased = {row.id: row.created_at for row in recorded}
    files = {}
    lost = []
    for key, lead_id, sha256 in show_progress(rows):
        copied_sha256 = _copy(key, folder / FILES)
        if copied_sha256:
            files[key] = {"sha256": copied_sha256, "lead": str(lead_id)}
        if copied_sha256 != sha256:
            lost.append(key)
    manifest = {
        "made_at": now().isoformat(),
        "revision": revision,
        "database": {
            "kind": db.engine.dialect.name,
            "sha256": _digest(folder / DATABASE),
        },
        "counts": counts,
        "files": files,
    }
    os.sync()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    _complete_list(erased, folder.parent)
    return lost


def _complete_list(erased: Mapping[uuid.UUID, datetime], folder: Path) -> None:
    """Add the erased leads that are missing in the list beside the backups."""
    listed = erasure.read_list(folder)
    missing = {lead_id: at for lead_id, at in erased.items() if lead_id not in listed}
    erasure.add_to_list(missing, folder)


def verify(folder: Path, show_progress: Progress = no_progress) -> dict[str, Any]:
    """Compare a backup with its manifest and return the manifest.

    Raises NotFound without a readable manifest, and Conflict if a file is missing or differs.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        digests = {folder / DATABASE: manifest["database"]["sha256"]}
        for key, file in manifest["files"].items():
            digests[folder / FILES / key] = file["sha256"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotFound(Code.BACKUP_UNKNOWN, folder=folder) from error
    for path, sha256 in show_progress(digests.items()):
        if not path.is_file() or _digest(path) != sha256:
            raise Conflict(Code.BACKUP_DAMAGED, path=path)
    return manifest


def restore(folder: Path, show_progress: Progress = no_progress) -> dict[str, Any]:
    """Restore a verified backup into an empty database and storage, and return its manifest.

    Leaves out the leads that were erased after the backup. Ends all logins, because users may have
    signed out after the backup.
    """
    manifest = verify(folder, show_progress)
    _check_place(manifest)
    erased = erasure.read_list(folder.parent)
    erased.update(erasure.read_list(Path(settings.BACKUP_DIR)))
    for key, file in show_progress(manifest["files"].items()):
        if uuid.UUID(file["lead"]) not in erased:
            _store_copy(folder / FILES / key, key)
    dump.load(folder / DATABASE)
    with db.engine.connect() as connection:
        if _counts(connection, manifest["counts"]) != manifest["counts"]:
            raise Conflict(Code.BACKUP_DAMAGED, path=folder / DATABASE)
    command.upgrade(migrate.get_config(), "head")
    db.session.execute(delete(Login))
    erasure.erase_again(erased)
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
    if _has_rows(User) or _has_rows(Lead) or _has_files():
        raise Conflict(Code.RESTORE_NOT_EMPTY)


def _has_rows(model: type[User] | type[Lead]) -> bool:
    if not inspect(db.engine).has_table(model.__tablename__):
        return False
    first_id = db.session.scalar(select(model.id).limit(1))
    db.session.rollback()
    return first_id is not None


def _has_files() -> bool:
    tomorrow = now() + timedelta(days=1)
    return any(store.keys_before(tomorrow))


def _store_copy(path: Path, key: str) -> None:
    with path.open("rb") as file, store.stage() as staged:
        shutil.copyfileobj(file, staged)
        store.keep(staged, key)


def _copy(key: str, folder: Path) -> str | None:
    """Copy a stored file and return the digest of the copy; None if storage has lost the file."""
    path = folder / key
    try:
        with store.open(key) as kept, path.open("xb") as copy:
            shutil.copyfileobj(kept, copy)
    except NotFound:
        return None
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _counts(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    counts = {}
    for name in tables:
        count = select(func.count()).select_from(table(name))
        counts[name] = connection.scalar(count) or 0
    return counts
