"""The rows of one submission, as statements that the second limit repeats with fresh keys.

They are read back from leadapp's database, so the limit writes each table, column and index that
leadapp writes.
"""

import json
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import create_engine

import leadapp.models  # noqa: F401  # registers the tables
from leadapp.extensions import db
from tests.load import limit

Row = dict[str, Any]


def create_tables(url: str) -> None:
    """Create leadapp's tables and indexes."""
    engine = create_engine(url)
    db.metadata.create_all(engine)
    engine.dispose()


def statements(url: str, email: str) -> str:
    """Return the JSON of the INSERTs for the lead with this e-mail address and one submission.

    A value that must be fresh in each copy is replaced by a mark.
    """
    connection = limit.connect(url)
    found = _written(connection, email)
    connection.close()
    reference = found[0][1]["reference"]
    marks = {email: f"{limit.MARK}email", reference: f"{limit.MARK}reference"}
    for _table, row in found:
        for name in ("id", "storage_key"):
            if isinstance(row.get(name), str):
                marks.setdefault(row[name], f"{limit.MARK}{len(marks)}")
    return json.dumps([_insert(table, row, marks) for table, row in found])


def _written(connection: Any, email: str) -> list[tuple[str, Row]]:
    """Return all rows of a lead with one submission, parents first, with their tables."""
    [lead] = _rows(connection, "leads", "email", email)
    [submission] = _rows(connection, "submissions", "lead_id", lead["id"])
    found = [("leads", lead), ("submissions", submission)]
    for table in db.metadata.sorted_tables:
        rows = []
        if table.name != "submissions" and "lead_id" in table.columns:
            rows = _rows(connection, table.name, "lead_id", lead["id"])
        elif "submission_id" in table.columns:
            rows = _rows(connection, table.name, "submission_id", submission["id"])
        found += [(table.name, row) for row in rows]
    return found


def _rows(connection: Any, table: str, column: str, value: str) -> list[Row]:
    """Return the rows of a table as JSON holds them."""
    # The names come from leadapp's models.
    where = f"FROM {table} t WHERE {column} = "
    if isinstance(connection, psycopg.Connection):
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(f"SELECT to_jsonb(t) AS row {where}%s", [value])
        return [found["row"] for found in rows]
    cursor = connection.execute(f"SELECT * {where}?", [value])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor]


def _insert(table: str, row: Row, marks: dict[str, str]) -> tuple[str, list[Any]]:
    """Return the INSERT of a row and its values, without a number that the database assigns."""
    values: Row = {}
    for name, value in row.items():
        if isinstance(value, str):
            values[name] = marks.get(value, value)
        elif isinstance(value, list):
            values[name] = json.dumps(value)
        elif name != "id":
            values[name] = value
    names = ", ".join(values)
    places = ", ".join("?" * len(values))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608
    return statement, list(values.values())
