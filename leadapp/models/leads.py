"""Leads, what they sent, and what happened to them."""

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .. import log
from ..rules import EMAIL_MAX, NAME_MAX
from ..wording import new_reference, now
from .accounts import User
from .columns import Base, searched

FILENAME_MAX = 255
NAME_KEY_MAX = 400
ONCE_FOR = timedelta(days=1)  # how long the id of a submission is remembered


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
    reached_out_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )
    seen_at: Mapped[datetime | None]
    erasure_asked_at: Mapped[datetime | None]

    submissions: Mapped[list["Submission"]] = relationship(
        back_populates="lead", order_by="Submission.number.desc()"
    )
    newest: Mapped["Submission"] = relationship(
        primaryjoin="and_(Submission.lead_id == Lead.id, Submission.number == Lead.submission_count)",
        viewonly=True,
    )
    marked_by: Mapped[User | None] = relationship()

    @hybrid_property
    def full_name(self) -> str:
        """Write both names; the database can, too."""
        return self.first_name + " " + self.last_name

    @property
    def marker(self) -> str | None:
        """Name who marked it, if the account is still there."""
        return self.marked_by and self.marked_by.username

    @property
    def version(self) -> str:
        """Name this state of the lead; being seen is no new state."""
        return f"{self.submission_count}.{self.updated_at.timestamp():.6f}"


# Every list the dashboard can show is read from an index: each order with its tie, for all and for one status.
SORTED = (
    "created_at",
    "updated_at",
    "pending_since",
    "first_name_key",
    "last_name_key",
    "email_key",
)
for column in SORTED:
    if not getattr(Lead, column).unique:  # which has an index already, and no ties
        Index(f"ix_leads_{column}", getattr(Lead, column), Lead.id)
    Index(f"ix_leads_status_{column}", Lead.status, getattr(Lead, column), Lead.id)
Index("ix_leads_status_reached_out_at", Lead.status, Lead.reached_out_at, Lead.id)
Index("ix_leads_status_id", Lead.status, Lead.id)
Index("ix_leads_reference", Lead.reference)
Index("ix_leads_erasure_asked_at", Lead.erasure_asked_at)


class Tally(Base):
    """How many leads have a status: kept by triggers (migration 0002), since counting a million takes too long."""

    __tablename__ = "tallies"

    status: Mapped[LeadStatus] = mapped_column(
        Enum(LeadStatus, native_enum=False, length=16), primary_key=True
    )
    leads: Mapped[int]


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
    # The id of the form or the client's key, and the fingerprint: a repeat has the same value.
    once: Mapped[str | None] = mapped_column(String(200), unique=True)
    # A keyed hash of the Idempotency-Key and the network that sent it, kept for a day.
    once_network: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(index=True)

    lead: Mapped[Lead] = relationship(back_populates="submissions")


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


class Erasure(Base):
    """The nameless record that a lead was erased; whatever brings an old copy back erases it again."""

    __tablename__ = "erasures"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)  # the lead's
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    request_id: Mapped[str | None] = mapped_column(String(64), default=log.request_id.get)
    created_at: Mapped[datetime] = mapped_column(default=now)
