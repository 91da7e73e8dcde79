"""The tables, their column types, and the rules inside one row."""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flask_login import UserMixin
from sqlalchemy import JSON, DateTime, Enum, ForeignKey, Index, String, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from . import log
from .extensions import db
from .rules import EMAIL_MAX, NAME_MAX
from .wording import new_reference, now

FILENAME_MAX = 255
NAME_KEY_MAX = 400


class UTCDateTime(TypeDecorator[datetime]):
    """A time that is aware and in UTC on both sides; SQLite by itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time (astimezone would guess this machine's zone)."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


def searched(length: int) -> Any:
    """Text ordered by code point, so that one range finds a prefix by index on any database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """What all tables share. Ids are random: a time in an id would tell who wrote to the firm before."""

    metadata = db.metadata
    type_annotation_map = {datetime: UTCDateTime, list[str]: JSON}


class User(UserMixin, Base):
    """An attorney who signs in."""

    __tablename__ = "users"
    __allow_unmapped__ = True  # login_id is no column

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    username: Mapped[str] = mapped_column(String(50))
    username_key: Mapped[str] = mapped_column(String(50), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    email_key: Mapped[str] = mapped_column(String(EMAIL_MAX), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(60))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    login_id: uuid.UUID | None = None

    def get_id(self) -> str:
        """Name the login, not the user: a cookie ends when its row does."""
        return str(self.login_id)


class Login(Base):
    """One signed-in device or one token; deleting the row ends it."""

    __tablename__ = "logins"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]


class LeadStatus(StrEnum):
    """Whether somebody has been in touch."""

    PENDING = "PENDING"
    REACHED_OUT = "REACHED_OUT"


class Lead(Base):
    """A person who wants counsel: one row per e-mail address."""

    __tablename__ = "leads"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    reference: Mapped[str] = mapped_column(searched(12), default=new_reference)
    first_name: Mapped[str] = mapped_column(String(NAME_MAX))
    last_name: Mapped[str] = mapped_column(String(NAME_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    email_key: Mapped[str] = mapped_column(searched(EMAIL_MAX), unique=True)
    # Both names folded, each first once: what is searched, and what sorting by a name follows.
    first_name_key: Mapped[str] = mapped_column(searched(NAME_KEY_MAX))
    last_name_key: Mapped[str] = mapped_column(searched(NAME_KEY_MAX))
    status: Mapped[LeadStatus] = mapped_column(Enum(LeadStatus, native_enum=False, length=16))
    submission_count: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    pending_since: Mapped[datetime]
    reached_out_at: Mapped[datetime | None]
    reached_out_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    seen_at: Mapped[datetime | None]

    submissions: Mapped[list["Submission"]] = relationship(back_populates="lead", order_by="Submission.number.desc()")
    marked_by: Mapped[User | None] = relationship()

    @property
    def full_name(self) -> str:
        """Write both names."""
        return f"{self.first_name} {self.last_name}"

    @property
    def version(self) -> str:
        """Name this state of the lead; being seen is no new state."""
        return f"{self.submission_count}.{self.updated_at.timestamp():.6f}"

    @property
    def newest(self) -> "Submission":
        """Give the newest submission."""
        return self.submissions[0]


# Every list the dashboard can show is read from an index: each order with its tie, for all and for one status.
SORTED = ("created_at", "updated_at", "pending_since", "first_name_key", "last_name_key", "email_key")
for column in SORTED:
    Index(f"ix_leads_{column}", getattr(Lead, column), Lead.id)
    Index(f"ix_leads_status_{column}", Lead.status, getattr(Lead, column), Lead.id)
Index("ix_leads_status_reached_out_at", Lead.status, Lead.reached_out_at, Lead.id)
Index("ix_leads_status_id", Lead.status, Lead.id)
Index("ix_leads_reference", Lead.reference)


class Submission(Base):
    """One thing a prospect sent, the `number`th of its lead: names as typed, one resume, a time."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("lead_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    lead_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("leads.id", ondelete="CASCADE"))
    number: Mapped[int]
    first_name: Mapped[str] = mapped_column(String(NAME_MAX))
    last_name: Mapped[str] = mapped_column(String(NAME_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    filename: Mapped[str] = mapped_column(String(FILENAME_MAX))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    warnings: Mapped[list[str]]
    storage_key: Mapped[str] = mapped_column(String(64), unique=True)
    once: Mapped[str | None] = mapped_column(String(200), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    lead: Mapped[Lead] = relationship(back_populates="submissions")


class Letter(Base):
    """One e-mail we owe somebody. It waits while `next_at` is set; sent or failed it waits no more."""

    __tablename__ = "letters"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    submission_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(EMAIL_MAX))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[uuid.UUID | None]
    reason: Mapped[str | None] = mapped_column(String(500))

    submission: Mapped[Submission] = relationship()


class Event(Base):
    """Something that happened to a lead: append-only."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_lead_id", "lead_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("leads.id", ondelete="SET NULL"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(40))
    request_id: Mapped[str | None] = mapped_column(String(64), default=log.request_id.get)
    created_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User | None] = relationship()
