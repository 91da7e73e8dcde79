"""Count confirmations by mailbox and network; scope idempotency keys to a network."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SUBMISSIONS = sa.table(
    "submissions",
    sa.column("once", sa.String),
    sa.column("fingerprint", sa.String),
    sa.column("created_at", UTCDateTime),
)
KEY_LENGTH = 64  # SHA-256 in hexadecimal digits


def upgrade() -> None:
    op.add_column("letters", sa.Column("mailbox", sa.String(length=254), nullable=True))
    op.add_column("letters", sa.Column("network", sa.String(length=64), nullable=True))
    for column in ("mailbox", "network"):
        has_value = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_letters_{column}",
            "letters",
            [column, "created_at"],
            sqlite_where=has_value,
            postgresql_where=has_value,
        )
    op.add_column("submissions", sa.Column("once_network", sa.String(length=64), nullable=True))
    op.create_index("ix_submissions_once_network", "submissions", ["once_network"], unique=True)
    # Convert the keys of the last day, so that a request repeated after the upgrade is still a
    # replay.
    once = SUBMISSIONS.c.once
    op.execute(
        SUBMISSIONS.update()
        .where(sa.func.length(once) == KEY_LENGTH)
        .where(SUBMISSIONS.c.created_at > datetime.now(UTC) - timedelta(days=1))
        .values(once=once + "." + SUBMISSIONS.c.fingerprint)
    )


def downgrade() -> None:
    # Two networks may have used the same key, but the old schema allows it in one row only.
    with_fingerprint = sa.func.length(SUBMISSIONS.c.once) == 2 * KEY_LENGTH + 1
    op.execute(SUBMISSIONS.update().where(with_fingerprint).values(once=None))
    op.drop_index("ix_submissions_once_network", "submissions")
    op.drop_column("submissions", "once_network")
    for column in ("network", "mailbox"):
        op.drop_index(f"ix_letters_{column}", "letters")
        op.drop_column("letters", column)
