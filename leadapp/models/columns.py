"""Column types, and the base class of all tables."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase

from ..extensions import db


class UTCDateTime(TypeDecorator[datetime]):
    """A time that is always aware and in UTC; SQLite by itself stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Reject a naive time, because astimezone would assume this machine's zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value and value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return a function that restores the zone of a value.

        It handles a value in one call, because a page of a list reads a hundred datetimes.
        """
        if dialect.name == "sqlite":
            return lambda text: text and datetime.fromisoformat(text + "+00:00")
        return lambda moment: moment and moment.astimezone(UTC)


def searched(length: int) -> Any:
    """Return a text type that sorts by code point.

    One index range then finds a prefix on any database.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """The base class of all tables.

    Ids are random, because a time in an id would reveal the order in which people wrote to the
    firm.
    """

    metadata = db.metadata
    type_annotation_map = {datetime: UTCDateTime, list[str]: JSON}
