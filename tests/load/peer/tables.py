"""The peer's tables and database connection."""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, UniqueConstraint, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """The base class of all tables."""

    type_annotation_map = {datetime: DateTime(timezone=True), list[str]: JSON}


class User(Base):
    """An attorney."""

    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    username: Mapped[str] = mapped_column(String(50), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(60))


class Lead(Base):
    """A person: one row per e-mail address."""

    __tablename__ = "leads"
    __table_args__ = (
        Index("ix_leads_created_at", "created_at", "id"),
        Index("ix_leads_status_created_at", "status", "created_at", "id"),
        Index("ix_leads_last_name", "last_name", "id"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    status: Mapped[str] = mapped_column(String(20), default="PENDING")
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    reached_out_at: Mapped[datetime | None]
    submissions: Mapped[list["Submission"]] = relationship(order_by="Submission.number.desc()")

    @property
    def resume_path(self) -> str:
        """Return the URL path of the newest resume."""
        return f"/api/v1/leads/{self.id}/resume"


class Submission(Base):
    """One submission of a lead."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("lead_id", "number"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("leads.id"))
    number: Mapped[int]
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    filename: Mapped[str] = mapped_column(String(255))
    place: Mapped[str] = mapped_column(String(300))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    warnings: Mapped[list[str]]
    idempotency_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Event(Base):
    """An entry in the history of a lead."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("leads.id"), index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(default=now)


def _async(url: str) -> str:
    """Return the URL of the same database for an async driver."""
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")


engine = create_async_engine(_async(os.environ.get("DATABASE_URL", "sqlite://")))
Session = async_sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine.sync_engine, "connect")
def _set_pragmas(connection: Any, _record: Any) -> None:
    if engine.dialect.name == "sqlite":
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            connection.execute(f"PRAGMA {pragma}")


async def _session() -> AsyncIterator[AsyncSession]:
    async with Session() as opened:
        yield opened


DB = Annotated[AsyncSession, Depends(_session)]
