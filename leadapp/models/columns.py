"""What all tables share."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, String, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase

from ..extensions import db


class UTCDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC on both sides; SQLite by itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time (astimezone would guess this machine's zone)."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value and value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Give the zone back; in one step, since a page of a list has a hundred times."""
        if dialect.name == "sqlite":
            return lambda text: text and datetime.fromisoformat(text + "+00:00")
        return lambda moment: moment and moment.astimezone(UTC)


def searched(length: int) -> Any:
    """Text ordered by code point, so that one range finds a prefix by index on any database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """What all tables share. Ids are random: a time in an id would tell who wrote to the firm before."""

    metadata = db.metadata
    type_annotation_map = {datetime: UTCDateTime, list[str]: JSON}
