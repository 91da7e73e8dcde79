"""The peer's files and letters."""

import hashlib
import os
import shutil
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import IO

import aiosmtplib
from fastapi import HTTPException, UploadFile
from starlette.concurrency import run_in_threadpool

from .tables import Lead

MAX_FILE_SIZE = 5_242_880
KINDS = {".pdf": b"%PDF-", ".doc": b"\xd0\xcf\x11\xe0", ".docx": b"PK\x03\x04"}
ATTORNEY, SENDER = "attorney@example.com", "intake@example.com"


async def keep(resume: UploadFile) -> tuple[Path, str]:
    """Check an upload and store it; its place and its digest."""
    ending = Path(resume.filename or "").suffix.lower()
    if ending not in KINDS or not resume.size or resume.size > MAX_FILE_SIZE:
        raise HTTPException(422, "The resume must be a PDF, DOC or DOCX file smaller than 5 MB")
    if not (await resume.read(8)).startswith(KINDS[ending]):
        raise HTTPException(422, "The resume must be a PDF, DOC or DOCX file")
    await resume.seek(0)
    place = Path(os.environ["UPLOAD_DIR"]) / f"{uuid.uuid4().hex}{ending}"
    return place, await run_in_threadpool(_store, resume.file, place)


def _store(source: IO[bytes], place: Path) -> str:
    """Copy an upload to its place and sync both file and folder."""
    with open(place, "xb") as target:
        shutil.copyfileobj(source, target, 256 * 1024)
        target.flush()
        os.fsync(target.fileno())
    descriptor = os.open(place.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    source.seek(0)
    digest = hashlib.sha256()
    while piece := source.read(256 * 1024):
        digest.update(piece)
    return digest.hexdigest()


async def write_to(lead: Lead) -> None:
    """Send both letters, if there is a mail server."""
    if not os.environ.get("SMTP_HOST"):
        return
    for recipient, subject in ((lead.email, "We have your details"), (ATTORNEY, f"New lead: {lead.last_name}")):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = SENDER, recipient, subject
        letter.set_content(f"{lead.first_name} {lead.last_name}, {lead.created_at:%d %b %Y}")
        letter.add_alternative(f"<p>{lead.first_name} {lead.last_name}</p>", subtype="html")
        await aiosmtplib.send(letter, hostname=os.environ["SMTP_HOST"], port=int(os.environ["SMTP_PORT"]))
