"""Export leads as CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import joinedload

from ..config import settings
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead
from .history import record
from .search import Query


@dataclass(frozen=True)
class Column:
    """A column of the export: its heading, and the function that reads a cell from a lead.

    A time is written in the firm's zone, which the heading names.
    """

    heading: str
    read: Callable[[Lead], str | int | datetime | None]
    is_time: bool = False


COLUMNS = [
    Column("Reference", lambda lead: lead.reference),
    Column("First name", lambda lead: lead.first_name),
    Column("Last name", lambda lead: lead.last_name),
    Column("E-mail", lambda lead: lead.email),
    Column("Status", lambda lead: lead.status),
    Column("Submissions", lambda lead: lead.submission_count),
    Column("Received", lambda lead: lead.created_at, is_time=True),
    Column("Waiting since", lambda lead: lead.pending_since, is_time=True),
    Column("Reached out", lambda lead: lead.reached_out_at, is_time=True),
    Column("Reached out by", lambda lead: lead.marker),
]
BATCH = 500
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
    zone = settings.TIMEZONE
    # Without this byte order mark, Excel reads the file in another encoding than UTF-8.
    yield "\ufeff" + _line([_heading(column, zone) for column in COLUMNS])
    matching = (
        query.ids()
        .with_only_columns(Lead)
        .options(joinedload(Lead.marked_by))
        .order_by(*query.order())
    )
    for lead in db.session.scalars(matching, execution_options={"yield_per": BATCH}):
        yield _line([_cell(column.read(lead), zone) for column in COLUMNS])


def _heading(column: Column, zone: ZoneInfo) -> str:
    if column.is_time:
        return f"{column.heading} ({zone})"
    return column.heading


def _cell(value: str | int | datetime | None, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    text = str(value)
    if text.startswith(FORMULA):
        return "'" + text
    return text


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
