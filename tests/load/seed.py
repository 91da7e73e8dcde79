"""Fills databases quickly with leads that have one submission, but no file.

To fill another table of leadapp, add it to FILLED with a function that returns its rows of a lead.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

import leadapp.models  # noqa: F401  # registers the tables
from leadapp.extensions import db
from leadapp.formatting import REFERENCE_DIGITS
from leadapp.leads.matching import new_words
from leadapp.resumes.formats import PDF
from tests.load import limit

BATCH = 20_000
SQLITE_HURRY = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-2000000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA threads=2",
)
POSTGRES_HURRY = (
    "SET synchronous_commit = off",
    "SET maintenance_work_mem = '512MB'",
)
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


def fill(url: str, count: int, tables: Sequence[str] | None = None) -> None:
    """Fill leadapp's database, or only some of its tables.

    Creating the indexes after the rows is several times faster. The unique ones stay, because a
    foreign key may need them.
    """
    tables = tables or list(FILLED)
    engine = create_engine(url)
    indexes = [
        index for name in tables for index in db.metadata.tables[name].indexes if not index.unique
    ]
    with engine.connect() as connection:
        _hurry(connection)
        for index in indexes:
            index.drop(connection)
        for start in range(0, count, BATCH):
            leads = [_lead(number, count) for number in range(start, min(start + BATCH, count))]
            for table in tables:
                insert(connection, table, [row for lead in leads for row in FILLED[table](lead)])
        for index in indexes:
            index.create(connection)
        connection.commit()
        if not _is_postgres(engine):
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    tidy(engine)
    engine.dispose()


def _hurry(connection: Connection) -> None:
    """Give the connection memory, and let it write without a journal."""
    statements: tuple[str, ...] = SQLITE_HURRY
    if _is_postgres(connection.engine):
        statements = POSTGRES_HURRY
    for statement in statements:
        connection.exec_driver_sql(statement)
    connection.commit()


def tidy(engine: Engine) -> None:
    """Write everything to the database's files, and update PostgreSQL's statistics."""
    if _is_postgres(engine):
        _run(engine, "VACUUM ANALYZE")
        _run(engine, "CHECKPOINT")
    else:
        _run(engine, "PRAGMA wal_checkpoint(TRUNCATE)")


def checkpoint(engine: Engine) -> None:
    """Let PostgreSQL write its tables; SQLite's writers have written theirs themselves."""
    if _is_postgres(engine):
        _run(engine, "CHECKPOINT")


def _run(engine: Engine, statement: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


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
        "reference": _reference(number),
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


def _reference(number: int) -> str:
    """Return a number as a reference."""
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, len(REFERENCE_DIGITS))
        digits += REFERENCE_DIGITS[digit]
    return f"LD-{digits[:4]}-{digits[4:]}"


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


def _letter(lead: Row, kind: str) -> Row:
    return {
        "id": f"{random.getrandbits(128):032x}",
        "submission_id": lead["id"],
        "kind": kind,
        "recipient": lead["email"],
        "created_at": lead["created_at"],
        "sent_at": lead["created_at"],
        "attempts": 1,
    }


def _event(lead: Row) -> Row:
    return {"lead_id": lead["id"], "kind": "submitted", "created_at": lead["created_at"]}


# The tables to fill, parents first, each with the rows of a lead.
FILLED: dict[str, Callable[[Row], list[Row]]] = {
    "leads": lambda lead: [lead],
    "lead_words": lambda lead: new_words(SimpleNamespace(**lead)),
    "submissions": lambda lead: [_submission(lead)],
    "letters": lambda lead: [_letter(lead, "confirmation"), _letter(lead, "notice")],
    "events": lambda lead: [_event(lead)],
}
LISTED = ("leads", "lead_words", "submissions")  # the tables that lists and searches read


def insert(connection: Connection, table: str, rows: list[Row]) -> None:
    """Insert rows directly through the driver, and commit."""
    names = ", ".join(rows[0])
    values = [tuple(row.values()) for row in rows]
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    if _is_postgres(connection.engine):
        cursor.execute("SET TIME ZONE 'UTC'")
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        # The names of tables and columns are constants, so this SQL is safe.
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(rows[0]))})",  # noqa: S608
            values,
        )
    driver.commit()


def _is_postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def fill_bare(url: str, count: int) -> None:
    """Fill the limit's table."""
    connection = limit.connect(url)
    connection.execute("BEGIN")
    for lead in _leads(count):
        values = [lead[name] for name in ("id", "first_name", "last_name", "email")]
        values += ["", 0, lead["created_at"]]
        limit.run_on(connection, limit.INSERT, *values)
    connection.execute("COMMIT")
    connection.close()


def fill_peer(url: str, count: int) -> None:
    """Fill the peer's table."""
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
    engine = create_engine(url)
    with engine.connect() as connection:
        insert(connection, "leads", rows)
    engine.dispose()


def _leads(count: int) -> Iterator[Row]:
    return (_lead(number, count) for number in range(count))
