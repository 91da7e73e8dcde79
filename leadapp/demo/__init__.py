"""Demo data: leads with invented names, spread over the last two months."""

import re
import shutil
import tomllib
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ..clock import now
from ..codes import Code
from ..config import settings
from ..errors import Forbidden
from ..extensions import db
from ..leads import submit
from ..leads.history import record
from ..leads.matching import new_words
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus, LeadWord, Submission
from ..normalize import fold
from ..resumes.inspect import Resume, inspect
from ..resumes.store import store

HERE = Path(__file__).parent
NOT_IN_EMAIL = re.compile("[^a-z]")
LATEST = 40  # all of the latest leads are pending
PENDING_EVERY = 17  # of the other leads, one in this many is pending
DOCX_EVERY = 4  # one resume in this many is a DOCX file


def add_leads(count: int) -> Iterator[bool]:
    """Add leads one by one, the latest first, and yield for each whether it is new.

    Queues no e-mails. Raises Forbidden in production.
    """
    if settings.ENVIRONMENT == "production":
        raise Forbidden(Code.DEMO_PRODUCTION)
    return _adding(count)


def _adding(count: int) -> Iterator[bool]:
    people = tomllib.loads((HERE / "people.toml").read_text())
    first_names = people["first"]
    last_names = people["last"]
    oldest_account = select(User.id).order_by(User.created_at).limit(1)
    attorney = db.session.scalar(oldest_account)
    for number in range(count):
        first_name = first_names[number % len(first_names)]
        last_name = last_names[number * 7 % len(last_names)]
        mailbox = NOT_IN_EMAIL.sub("", fold(first_name))
        ending = ".docx" if number % DOCX_EVERY == DOCX_EVERY - 1 else ".pdf"
        details = submit.Details(
            first_name=first_name,
            last_name=last_name,
            email=f"{mailbox}.{number}@example.com",
            resume=_keep_resume(f"{first_name} {last_name}", ending),
        )
        yield _add(details, number, attorney)
        # A commit for each lead, so that other writers do not wait for all of them.
        db.session.commit()


def _keep_resume(name: str, ending: str) -> Resume:
    sample = HERE / f"resume{ending}"
    with sample.open("rb") as file, store.stage() as staged:
        shutil.copyfileobj(file, staged)
        return submit.keep_resume(inspect(staged, f"{name}{ending}"))


def _add(details: submit.Details, number: int, attorney: uuid.UUID | None) -> bool:
    # The squares make some days busier than others.
    age_in_hours = number * 2.6 + number**2 % 19
    at = now() - timedelta(hours=age_in_hours)
    marked_at = at + timedelta(hours=1 + number**2 % 47)
    is_marked = number > LATEST and number % PENDING_EVERY != 0
    lead = submit.new_lead(details, at)
    if is_marked:
        lead["status"] = LeadStatus.REACHED_OUT
        lead["reached_out_at"] = marked_at
        lead["reached_out_by"] = attorney
        lead["updated_at"] = marked_at
        lead["seen_at"] = marked_at
    insert_new = insert(Lead).values(lead).on_conflict_do_nothing()
    added = db.session.execute(insert_new.returning(Lead)).scalar()
    if added is None:
        return False
    lead_id = added.id
    db.session.execute(insert(LeadWord).values(new_words(added)))
    submission = submit.new_submission(details, lead_id, 1, at)
    db.session.execute(insert(Submission).values(submission))
    record("submitted", lead_id, at=at)
    if is_marked:
        record("marked", lead_id, attorney, marked_at)
    return True
