"""The peer's files."""

import hashlib
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import IO, Any

from fastapi import HTTPException, UploadFile
from starlette.concurrency import run_in_threadpool

MAX_FILE_SIZE, PIECE = 5_242_880, 256 * 1024
KINDS = {".pdf": b"%PDF-", ".doc": b"\xd0\xcf\x11\xe0", ".docx": b"PK\x03\x04"}
SIGNS = {"password_protected": rb"/Encrypt\b", "runs_script": rb"/(JS|JavaScript)\b"}


async def keep(resume: UploadFile) -> dict[str, Any]:
    """Check and store an upload; return the values for its columns in a submission."""
    ending = Path(resume.filename or "").suffix.lower()
    if ending not in KINDS or not resume.size or resume.size > MAX_FILE_SIZE:
        raise HTTPException(422, "The resume must be a PDF, DOC or DOCX file smaller than 5 MB")
    if not (await resume.read(8)).startswith(KINDS[ending]):
        raise HTTPException(422, "The resume must be a PDF, DOC or DOCX file")
    await resume.seek(0)
    place = Path(os.environ["UPLOAD_DIR"]) / f"{uuid.uuid4().hex}{ending}"
    digest, warnings = await run_in_threadpool(_store, resume.file, place)
    return {
        "filename": resume.filename,
        "place": str(place),
        "size": resume.size,
        "sha256": digest,
        "warnings": warnings,
    }


def _store(source: IO[bytes], place: Path) -> tuple[str, list[str]]:
    """Copy an upload to its path and sync both file and folder; return its digest and warnings."""
    with open(place, "xb") as target:
        shutil.copyfileobj(source, target, PIECE)
        target.flush()
        os.fsync(target.fileno())
    descriptor = os.open(place.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    source.seek(0)
    digest = hashlib.sha256()
    warnings: set[str] = set()
    while piece := source.read(PIECE):
        digest.update(piece)
        if place.suffix == ".pdf":
            warnings.update(name for name, sign in SIGNS.items() if re.search(sign, piece))
    return digest.hexdigest(), sorted(warnings)
