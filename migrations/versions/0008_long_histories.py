"""Read the history of a lead in the order of time, and find recent views and exports quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_lead_id_created_at", "events", ["lead_id", "created_at", "id"])
    op.drop_index("ix_events_lead_id", "events")
    _create_partial_index("ix_events_viewed", ["lead_id", "user_id", "created_at"], "viewed")
    _create_partial_index("ix_events_exported", ["created_at", "id"], "exported")


def _create_partial_index(name: str, columns: list[str], kind: str) -> None:
    is_kind = sa.text(f"kind = '{kind}'")
    op.create_index(name, "events", columns, sqlite_where=is_kind, postgresql_where=is_kind)


def downgrade() -> None:
    op.drop_index("ix_events_exported", "events")
    op.drop_index("ix_events_viewed", "events")
    op.create_index("ix_events_lead_id", "events", ["lead_id", "id"])
    op.drop_index("ix_events_lead_id_created_at", "events")
