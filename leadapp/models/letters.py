"""Letters we owe."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..rules import EMAIL_MAX
from .columns import Base
from .leads import Submission


def _counted(column: str) -> Index:
    """Return an index by time of the rows that have a value in this column."""
    has_value = text(f"{column} IS NOT NULL")
    return Index(
        f"ix_letters_{column}",
        column,
        "created_at",
        sqlite_where=has_value,
        postgresql_where=has_value,
    )


class Letter(Base):
    """One e-mail we owe somebody. It waits while `next_at` is set; sent or failed it waits no more."""

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_sent_at", "sent_at", "next_at", "created_at"),
        _counted("mailbox"),
        _counted("network"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    submission_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(EMAIL_MAX))
    # When it is first due: later than the submission if other recipients of its network come first.
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[uuid.UUID | None]
    reason: Mapped[str | None] = mapped_column(String(500))
    # Confirmations alone have these, and are limited by them: the address without a +tag, and a keyed
    # hash of the submission's network, which is kept for some hours.
    mailbox: Mapped[str | None] = mapped_column(String(EMAIL_MAX))
    network: Mapped[str | None] = mapped_column(String(64))

    submission: Mapped[Submission | None] = relationship()
