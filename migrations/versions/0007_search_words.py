"""Store the words by which a search finds a lead, with its status.

Index references by status, and the times of erasure requests only where there is one.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import searched
from leadapp.normalize import lead_words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 5000
LEADS = sa.table(
    "leads",
    sa.column("id", sa.Uuid),
    sa.column("first_name", sa.String),
    sa.column("last_name", sa.String),
    sa.column("email_key", sa.String),
    sa.column("status", sa.String),
)


def upgrade() -> None:
    # The foreign key below needs a unique index.
    op.drop_index("ix_leads_status_id", "leads")
    op.create_index("ix_leads_status_id", "leads", ["status", "id"], unique=True)
    words = op.create_table(
        "lead_words",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("word", searched(100), nullable=False),
        sa.Column(
            "status",
            sa.Enum("PENDING", "REACHED_OUT", name="leadstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["status", "lead_id"],
            ["leads.status", "leads.id"],
            name="fk_lead_words_lead_id",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lead_id", "word", name=op.f("pk_lead_words")),
        sqlite_with_rowid=False,
    )
    for rows in _batches():
        op.bulk_insert(words, rows)
    # After the rows, because that is several times faster.
    op.create_index("ix_lead_words_status_word", "lead_words", ["status", "word", "lead_id"])
    if op.get_bind().dialect.name == "postgresql":
        # Without statistics, a search would read all matches. Autovacuum collects them only later.
        op.execute("ANALYZE lead_words")
    op.create_index("ix_leads_status_reference", "leads", ["status", "reference", "id"])
    op.drop_index("ix_leads_reference", "leads")
    op.drop_index("ix_leads_erasure_asked_at", "leads")
    has_asked = sa.text("erasure_asked_at IS NOT NULL")
    op.create_index(
        "ix_leads_erasure_asked_at",
        "leads",
        ["erasure_asked_at"],
        sqlite_where=has_asked,
        postgresql_where=has_asked,
    )


def _batches() -> Iterator[list[dict[str, Any]]]:
    """Yield the words of all leads, a few thousand leads at a time."""
    batch = sa.select(LEADS).order_by(LEADS.c.id).limit(BATCH)
    leads = op.get_bind().execute(batch).all()
    while leads:
        yield [
            {"lead_id": lead.id, "word": word, "status": lead.status}
            for lead in leads
            for word in lead_words(lead.first_name, lead.last_name, lead.email_key)
        ]
        leads = op.get_bind().execute(batch.where(LEADS.c.id > leads[-1].id)).all()


def downgrade() -> None:
    op.drop_index("ix_leads_erasure_asked_at", "leads")
    op.create_index("ix_leads_erasure_asked_at", "leads", ["erasure_asked_at"])
    op.create_index("ix_leads_reference", "leads", ["reference"])
    op.drop_index("ix_leads_status_reference", "leads")
    op.drop_table("lead_words")
    op.drop_index("ix_leads_status_id", "leads")
    op.create_index("ix_leads_status_id", "leads", ["status", "id"])
