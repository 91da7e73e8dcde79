"""Export leads as CSV."""

import csv
import io
from collections.abc import Iterator

from sqlalchemy.orm import joinedload

from ..config import settings
from ..extensions import db
from ..models.accounts import User
from ..models.leads import Lead
from .history import record
from .search import Query

COLUMNS = ("Reference", "First name", "Last name", "E-mail", "Status", "Submissions")
TIMES = ("Received", "Waiting since", "Reached out")
BATCH = 500
# A spreadsheet runs a cell as a formula if it starts with one of these (OWASP, CSV Injection).
# With East Asian settings, it accepts their full-width forms, too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export_csv(query: Query, by: User | None) -> Iterator[str]:
    """Return the matching leads as lines of CSV, with times in the firm's time zone.

    Records the export as one event of this user.
    """
    record("exported", lead_id=None, user_id=by.id if by else None)
    db.session.commit()
    return _rows(query)


def _rows(query: Query) -> Iterator[str]:
    zone = settings["TIMEZONE"]
    heading = _line([*COLUMNS, *(f"{name} ({zone})" for name in TIMES), "Reached out by"])
    # Without this byte order mark, Excel reads the file in another encoding than UTF-8.
    yield "\ufeff" + heading
    matching = (
        query.ids()
        .with_only_columns(Lead)
        .options(joinedload(Lead.marked_by))
        .order_by(*query.order())
    )
    for lead in db.session.scalars(matching, execution_options={"yield_per": BATCH}):
        times = (lead.created_at, lead.pending_since, lead.reached_out_at)
        written = (at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "" for at in times)
        person = (
            lead.reference,
            lead.first_name,
            lead.last_name,
            lead.email,
            lead.status,
            str(lead.submission_count),
        )
        yield _line([*person, *written, lead.marker or ""])


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow("'" + cell if cell.startswith(FORMULA) else cell for cell in cells)
    return line.getvalue()
