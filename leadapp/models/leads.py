"""Leads, their submissions, and their history."""

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from sqlalchemy import (
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .. import log
from ..clock import now
from ..formatting import new_reference
from ..normalize import WORD_MAX
from ..validation import EMAIL_MAX, NAME_MAX
from .accounts import User
from .columns import Base, RandomId, searched

FILENAME_MAX = 255
NAME_KEY_MAX = 400
# How long a repeated submission is recognized.
IDEMPOTENT_FOR = timedelta(days=1)
NEWEST = "and_(Submission.lead_id == Lead.id, Submission.number == Lead.submission_count)"
# The number of submissions that a lead shows at first. More are on the pages of its submissions.
LATEST_MAX = 20
LATEST = (
    f"and_(Submission.lead_id == Lead.id, Submission.number > Lead.submission_count - {LATEST_MAX})"
)

# The user of an event or a mark. It is empty after the account is deleted.
OptionalUser = Annotated[
    uuid.UUID | None, mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
]
# The request that caused a row.
RequestId = Annotated[str | None, mapped_column(String(64), default=log.request_id.get)]


class LeadStatus(StrEnum):
    """Whether the firm has contacted the lead."""

    PENDING = "PENDING"
    REACHED_OUT = "REACHED_OUT"


class Lead(Base):
    """A person seeking legal counsel: one row per e-mail address."""

    __tablename__ = "leads"

    id: Mapped[RandomId]
    reference: Mapped[str] = mapped_column(searched(12), default=new_reference)
    first_name: Mapped[str] = mapped_column(String(NAME_MAX))
    last_name: Mapped[str] = mapped_column(String(NAME_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    email_key: Mapped[str] = mapped_column(searched(EMAIL_MAX), unique=True)
    # Both names without case and accents. The first column begins with the first name, the second
    # with the last name. Search and sorting by name use these columns.
    first_name_key: Mapped[str] = mapped_column(searched(NAME_KEY_MAX))
    last_name_key: Mapped[str] = mapped_column(searched(NAME_KEY_MAX))
    status: Mapped[LeadStatus] = mapped_column(Enum(LeadStatus, native_enum=False, length=16))
    submission_count: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    pending_since: Mapped[datetime]
    reached_out_at: Mapped[datetime | None]
    reached_out_by: Mapped[OptionalUser]
    seen_at: Mapped[datetime | None]
    erasure_asked_at: Mapped[datetime | None]

    submissions: Mapped[list["Submission"]] = relationship(
        back_populates="lead", order_by="Submission.number.desc()"
    )
    newest: Mapped["Submission"] = relationship(primaryjoin=NEWEST, viewonly=True)
    latest: Mapped[list["Submission"]] = relationship(
        primaryjoin=LATEST, order_by="Submission.number.desc()", viewonly=True
    )
    marked_by: Mapped[User | None] = relationship()

    @hybrid_property
    def full_name(self) -> str:
        """Return the first and last name. This also works in SQL expressions."""
        return self.first_name + " " + self.last_name

    @property
    def marker(self) -> str | None:
        """Return the username that marked the lead, if the account still exists."""
        if self.marked_by is None:
            return None
        return self.marked_by.username

    @property
    def version(self) -> str:
        """Return the version of the lead's data, which a view of the lead does not change."""
        return f"{self.submission_count}.{self.updated_at.timestamp():.6f}"


# Every list on the dashboard reads from an index. Each sort order has one index for all leads and
# one per status; the id breaks ties.
SORTED = (
    "created_at",
    "updated_at",
    "pending_since",
    "first_name_key",
    "last_name_key",
    "email_key",
)
for name in SORTED:
    column = Lead.__table__.columns[name]
    # A unique column already has an index, and has no ties.
    if not column.unique:
        Index(f"ix_leads_{name}", column, Lead.id)
    Index(f"ix_leads_status_{name}", Lead.status, column, Lead.id)
Index("ix_leads_status_reached_out_at", Lead.status, Lead.reached_out_at, Lead.id)
# Unique, because a foreign key refers to it.
Index("ix_leads_status_id", Lead.status, Lead.id, unique=True)
Index("ix_leads_status_reference", Lead.status, Lead.reference, Lead.id)
# Leads are counted by status. PostgreSQL prefers the table to a wider index.
Index("ix_leads_status", Lead.status)
HAS_ASKED = Lead.erasure_asked_at.is_not(None)
Index(
    "ix_leads_erasure_asked_at",
    Lead.erasure_asked_at,
    sqlite_where=HAS_ASKED,
    postgresql_where=HAS_ASKED,
)


class LeadWord(Base):
    """A word by which a search finds a lead."""

    __tablename__ = "lead_words"

    lead_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(searched(WORD_MAX), primary_key=True)
    # The status of the lead. The foreign key keeps it equal, so that matches are counted by status
    # from the index alone.
    status: Mapped[LeadStatus] = mapped_column(Enum(LeadStatus, native_enum=False, length=16))

    __table_args__ = (
        ForeignKeyConstraint(
            ["status", "lead_id"],
            ["leads.status", "leads.id"],
            name="fk_lead_words_lead_id",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("ix_lead_words_status_word", status, word, lead_id),
        {"sqlite_with_rowid": False},  # otherwise, each word would be stored three times
    )


class Submission(Base):
    """The `number`th submission of a lead: the names as typed, one resume, and a time."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("lead_id", "number"),)

    id: Mapped[RandomId]
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
    # The form's id or the client's Idempotency-Key, then the fingerprint. A repeated submission has
    # the same value.
    idempotency_key: Mapped[str | None] = mapped_column(
        "once", String(200), unique=True, key="idempotency_key"
    )
    # A keyed hash of the Idempotency-Key and the client's network, kept for a day.
    network_key: Mapped[str | None] = mapped_column(
        "once_network", String(64), index=True, unique=True, key="network_key"
    )
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(index=True)

    lead: Mapped[Lead] = relationship(back_populates="submissions")


# A partial index serves a query only if the query has the same condition, with a literal value.
IS_VIEW = text("kind = 'viewed'")
IS_EXPORT = text("kind = 'exported'")


class Event(Base):
    """An entry in the append-only history of a lead.

    An export has no lead, because it has many leads. It belongs to the history of each of them.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_lead_id_created_at", "lead_id", "created_at", "id"),
        Index(
            "ix_events_viewed",
            "lead_id",
            "user_id",
            "created_at",
            sqlite_where=IS_VIEW,
            postgresql_where=IS_VIEW,
        ),
        Index(
            "ix_events_exported",
            "created_at",
            "id",
            sqlite_where=IS_EXPORT,
            postgresql_where=IS_EXPORT,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("leads.id", ondelete="SET NULL"))
    user_id: Mapped[OptionalUser]
    kind: Mapped[str] = mapped_column(String(40))
    request_id: Mapped[RequestId]
    created_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User | None] = relationship()


class Erasure(Base):
    """An anonymous record that a lead was erased.

    If a restore brings back an old copy of the lead, the restore erases it again.
    """

    __tablename__ = "erasures"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)  # the id of the erased lead
    user_id: Mapped[OptionalUser]
    request_id: Mapped[RequestId]
    created_at: Mapped[datetime] = mapped_column(default=now)
