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
from ..models.accounts import User
from ..models.leads import Lead, LeadStatus, Submission
from ..normalize import fold
from ..resumes.inspect import Resume, inspect
from ..resumes.store import store

HERE = Path(__file__).parent
PLAIN = re.compile("[^a-z]")
WAITING = 40  # leads up to this number, the latest, are all pending; of the others, one in 17


def add_leads(count: int) -> Iterator[bool]:
    """Add leads one by one, the latest first, and yield for each whether it is new.

    Queues no e-mails. Raises Forbidden in production.
    """
    if settings["ENVIRONMENT"] == "production":
        raise Forbidden(Code.DEMO_PRODUCTION)
    return _adding(count)


def _adding(count: int) -> Iterator[bool]:
    people = tomllib.loads((HERE / "people.toml").read_text())
    attorney = db.session.scalar(select(User.id).order_by(User.created_at).limit(1))
    for number in range(count):
        first = people["first"][number % len(people["first"])]
        last = people["last"][number * 7 % len(people["last"])]
        email = f"{PLAIN.sub('', fold(first))}.{number}@example.com"
        details = submit.Details(
            first, last, email, _resume(f"{first} {last}", ".docx" if number % 4 == 3 else ".pdf")
        )
        yield _add(details, number, attorney)
        # A commit for each lead, so that other writers do not wait for all of them.
        db.session.commit()


def _resume(name: str, ending: str) -> Resume:
    with (HERE / f"resume{ending}").open("rb") as file, store.stage() as staged:
        shutil.copyfileobj(file, staged)
        return submit.keep_resume(inspect(staged, f"{name}{ending}"))


def _add(details: submit.Details, number: int, attorney: uuid.UUID | None) -> bool:
    # Some days are busier than others.
    at = now() - timedelta(hours=number * 2.6 + number * number % 19)
    row = submit.new_lead(details, at)
    is_marked = number > WAITING and number % 17 > 0
    contact = at + timedelta(hours=1 + number * number % 47)
    if is_marked:
        row["status"] = LeadStatus.REACHED_OUT
        row["reached_out_at"] = contact
        row["reached_out_by"] = attorney
        row["updated_at"] = contact
        row["seen_at"] = contact
    lead_id = db.session.scalar(
        insert(Lead).values(row).on_conflict_do_nothing().returning(Lead.id)
    )
    if lead_id is None:
        return False
    db.session.execute(insert(Submission).values(submit.new_submission(details, lead_id, 1, at)))
    record("submitted", lead_id, at=at)
    if is_marked:
        record("marked", lead_id, attorney, contact)
    return True
