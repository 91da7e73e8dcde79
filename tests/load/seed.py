"""Fills databases quickly with leads that have one submission and one sent e-mail, but no files."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, create_engine, text

from leadapp.models.leads import Lead, Submission
from leadapp.models.letters import Letter
from leadapp.resumes.formats import PDF
from tests.load import limit

BATCH = 20_000
START = datetime(2025, 1, 1)
FIRST = (
    "Ana",
    "Ben",
    "Chloe",
    "Dev",
    "Elif",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kemi",
    "Lucia",
    "Maya",
)
LAST = (
    "Abara",
    "Bianchi",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jensen",
    "Khan",
    "Ruiz",
)
# A database of any size has SOUGHT_COUNT leads with this last name.
SOUGHT, SOUGHT_COUNT = "Quintanilla", 20
# A row as the databases store it: ids as 32 hexadecimal digits, times in UTC without a zone.
Row = dict[str, Any]


def fill(url: str, count: int) -> None:
    """Fill leadapp's database.

    Creating the indexes after the rows is several times faster.
    """
    engine = create_engine(url)
    tables = [_table(model) for model in (Lead, Submission, Letter)]
    with engine.begin() as connection:
        for table in tables:
            for index in table.indexes:
                index.drop(connection)
    for start in range(0, count, BATCH):
        end = min(start + BATCH, count)
        rows = [_lead(number, count) for number in range(start, end)]
        _insert(engine, "leads", rows)
        _insert(engine, "submissions", [_submission(lead) for lead in rows])
        _insert(engine, "letters", [_letter(lead) for lead in rows])
    with engine.begin() as connection:
        for table in tables:
            for index in table.indexes:
                index.create(connection)
    tidy = "PRAGMA wal_checkpoint(TRUNCATE)"
    if _is_postgres(engine):
        tidy = "VACUUM ANALYZE"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(tidy))
    engine.dispose()


def _table(model: type[Lead | Submission | Letter]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _lead(number: int, count: int) -> Row:
    """Return a made-up lead; every third is pending, and all `count` spread over 600 days."""
    at = START + timedelta(days=600) * (number / count)
    status, reached_out = "PENDING", None
    if number % 3:
        status = "REACHED_OUT"
        reached_out = at + timedelta(hours=number % 50)
    first = FIRST[number % len(FIRST)]
    last = LAST[number % len(LAST)] + str(number % 997)
    if number % (count // SOUGHT_COUNT) == 0:
        last = SOUGHT
    key = f"{random.getrandbits(128):032x}"
    return {
        "id": key,
        "reference": f"LD-{number:09d}",
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{number}@example.com",
        "email_key": f"{first}.{number}@example.com".lower(),
        "first_name_key": f"{first} {last}".lower(),
        "last_name_key": f"{last} {first}".lower(),
        "status": status,
        "submission_count": 1,
        "created_at": str(at),
        "updated_at": str(reached_out or at),
        "pending_since": str(at),
        "reached_out_at": reached_out and str(reached_out),
        "seen_at": reached_out and str(reached_out),
    }


def _submission(lead: Row) -> Row:
    return {
        "id": lead["id"],
        "first_name": lead["first_name"],
        "last_name": lead["last_name"],
        "email": lead["email"],
        "created_at": lead["created_at"],
        "filename": "cv.pdf",
        "content_type": PDF,
        "size": 120_000,
        "sha256": "",
        "warnings": "[]",
        "lead_id": lead["id"],
        "number": 1,
        "storage_key": lead["id"],
        "fingerprint": "",
    }


def _letter(lead: Row) -> Row:
    return {
        "id": lead["id"],
        "submission_id": lead["id"],
        "kind": "confirmation",
        "recipient": lead["email"],
        "created_at": lead["created_at"],
        "sent_at": lead["created_at"],
        "attempts": 1,
    }


def _insert(engine: Engine, table: str, rows: list[Row]) -> None:
    """Insert rows directly through the driver, and commit."""
    names = ", ".join(rows[0])
    values = [tuple(row.values()) for row in rows]
    raw = engine.raw_connection()
    cursor: Any = raw.cursor()
    if _is_postgres(engine):
        cursor.execute("SET TIME ZONE 'UTC'")
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        cursor.execute("PRAGMA synchronous=OFF")
        # The names of tables and columns are constants, so this SQL is safe.
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(rows[0]))})",  # noqa: S608
            values,
        )
    raw.commit()
    raw.close()


def _is_postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def fill_bare(url: str, count: int) -> None:
    """Fill the limit's table."""
    connection = limit.connect(url)
    for lead in _leads(count):
        values = [lead[name] for name in ("id", "first_name", "last_name", "email")]
        values += ["", 0, lead["created_at"]]
        limit.run_on(connection, limit.INSERT, *values)
    connection.close()


def fill_peer(url: str, count: int) -> None:
    """Fill the peer's table."""
    engine = create_engine(url)
    names = (
        "id",
        "first_name",
        "last_name",
        "email",
        "status",
        "created_at",
        "updated_at",
        "reached_out_at",
    )
    rows = []
    for lead in _leads(count):
        rows.append({name: lead[name] for name in names})
    _insert(engine, "leads", rows)
    engine.dispose()


def _leads(count: int) -> Iterator[Row]:
    return (_lead(number, count) for number in range(count))
