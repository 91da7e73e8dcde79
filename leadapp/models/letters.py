"""The outbox of e-mails."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..validation import EMAIL_MAX
from .columns import Base, RandomId
from .leads import Submission


def _counted(column: str) -> Index:
    """Return an index, by time, of the rows with a value in this column."""
    has_value = text(f"{column} IS NOT NULL")
    return Index(
        f"ix_letters_{column}",
        column,
        "created_at",
        sqlite_where=has_value,
        postgresql_where=has_value,
    )


class Letter(Base):
    """One e-mail in the outbox.

    It is waiting while `next_at` is set. Once it is sent or has failed, `next_at` is empty.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_sent_at", "sent_at", "next_at", "created_at"),
        _counted("mailbox"),
        _counted("network"),
    )

    id: Mapped[RandomId]
    submission_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    recipient: Mapped[str] = mapped_column(String(EMAIL_MAX))
    # When the e-mail is first due. This is later than the submission if its network's e-mails to
    # other recipients come first.
    created_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[uuid.UUID | None]
    reason: Mapped[str | None] = mapped_column(String(500))
    # Only confirmations have these two values, which limit their number: the address without a
    # +tag, and a keyed hash of the submission's network. The hash is kept for some hours.
    mailbox: Mapped[str | None] = mapped_column(String(EMAIL_MAX))
    network: Mapped[str | None] = mapped_column(String(64))

    submission: Mapped[Submission | None] = relationship()
