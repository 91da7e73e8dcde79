"""Export leads as CSV."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import InstrumentedAttribute

from ..config import settings
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead
from .history import record
from .matching import find_terms
from .search import Query


@dataclass(frozen=True)
class Column:
    """A column of the export: its heading, and the column of the database.

    A time is written in the firm's zone, which the heading names.
    """

    heading: str
    source: InstrumentedAttribute[Any]
    is_time: bool = False


COLUMNS = [
    Column("Reference", Lead.reference),
    Column("First name", Lead.first_name),
    Column("Last name", Lead.last_name),
    Column("E-mail", Lead.email),
    Column("Status", Lead.status),
    Column("Submissions", Lead.submission_count),
    Column("Received", Lead.created_at, is_time=True),
    Column("Waiting since", Lead.pending_since, is_time=True),
    Column("Reached out", Lead.reached_out_at, is_time=True),
    Column("Reached out by", User.username),
]
BATCH = 500  # rows that are read and sent at a time
# A spreadsheet runs a cell as a formula if it starts with one of these (OWASP, CSV Injection).
# With East Asian settings, it accepts their full-width forms, too.
FORMULA = tuple("=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20")


def export_csv(query: Query, by: User | None) -> Iterator[str]:
    """Return the matching leads as lines of CSV, with times in the firm's time zone.

    Records the export as one event of this user.
    """
    record("exported", lead_id=None, user_id=by.id if by else None)
    db.session.commit()
    return _lines(query)


def _lines(query: Query) -> Iterator[str]:
    """Yield the heading, then a batch of lines at a time, so that memory does not grow."""
    zone = settings.TIMEZONE
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # Without this byte order mark, Excel reads the file in another encoding than UTF-8.
    buffer.write("\ufeff")
    writer.writerow([_heading(column, zone) for column in COLUMNS])
    yield _take(buffer)
    sources = [column.source for column in COLUMNS]
    matching = query.ids(find_terms(query.q)).with_only_columns(*sources).outerjoin(Lead.marked_by)
    found = db.session.execute(
        matching.order_by(*query.order()), execution_options={"yield_per": BATCH}
    )
    for rows in found.partitions():
        for row in rows:
            writer.writerow([_cell(value, zone) for value in row])
        yield _take(buffer)


def _take(buffer: io.StringIO) -> str:
    """Return the text of a buffer and empty it."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _heading(column: Column, zone: ZoneInfo) -> str:
    if column.is_time:
        return f"{column.heading} ({zone})"
    return column.heading


def _cell(value: str | int | datetime | None, zone: ZoneInfo) -> str | int | None:
    """Return what the CSV shows; it writes None as an empty cell."""
    if isinstance(value, str):
        if value.startswith(FORMULA):
            return "'" + value
        return value
    if isinstance(value, datetime):
        local = value.astimezone(zone).replace(tzinfo=None)
        return local.isoformat(" ", "minutes")
    return value
