"""Column types, and the base class of all tables."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column

from ..extensions import db

# Ids are random, because a time in an id would reveal the order in which people wrote to the firm.
RandomId = Annotated[uuid.UUID, mapped_column(primary_key=True, default=uuid.uuid4)]


class UTCDateTime(TypeDecorator[datetime]):
    """A time that is always aware and in UTC; SQLite by itself stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Reject a naive time, because astimezone would assume this machine's zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return _in_utc(value)

    # SQLAlchemy passes a text or a time, as the dialect's own type does, and declares it as Any.
    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return a function that restores the zone of a value.

        It handles a value in one call, because a page of a list reads a hundred datetimes.
        """
        if dialect.name == "sqlite":
            return _from_text
        return _in_utc


def _from_text(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.fromisoformat(text + "+00:00")


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.astimezone(UTC)


def searched(length: int) -> String:
    """Return a text type that sorts by code point.

    One index range then finds a prefix on any database.
    """
    by_code_point = String(length, collation="C")
    return String(length).with_variant(by_code_point, "postgresql")


class Base(DeclarativeBase):
    """The base class of all tables."""

    metadata = db.metadata
    type_annotation_map = {datetime: UTCDateTime, list[str]: JSON}
