"""Failed sign-ins by network address, and the addresses from which each user signs in."""

import sqlalchemy as sa
from alembic import op

from leadapp.models import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
