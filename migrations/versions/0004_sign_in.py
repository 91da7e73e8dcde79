"""Add failed sign-ins by network, known networks of each user, and refused registrations."""

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("awaits_approval", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("users", sa.Column("warned_at", UTCDateTime(), nullable=True))
    op.create_table(
        "refused_registrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=50), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_registrations")),
    )
    op.create_index(
        op.f("ix_refused_registrations_created_at"), "refused_registrations", ["created_at"]
    )
    op.create_table(
        "failed_networks",
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_failed_networks")),
    )
    op.create_table(
        "known_networks",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("who", "address", name=op.f("pk_known_networks")),
    )


def downgrade() -> None:
    op.drop_table("known_networks")
    op.drop_table("failed_networks")
    op.drop_table("refused_registrations")
    op.drop_column("users", "warned_at")
    op.drop_column("users", "awaits_approval")
