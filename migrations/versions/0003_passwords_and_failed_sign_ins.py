"""Add forced password changes and failed sign-ins; allow e-mails without a submission."""

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("who", "address", name=op.f("pk_failed_sign_ins")),
    )
    with op.batch_alter_table("letters") as letters:
        letters.alter_column("submission_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM letters WHERE submission_id IS NULL")
    with op.batch_alter_table("letters") as letters:
        letters.alter_column("submission_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_table("failed_sign_ins")
    op.drop_column("users", "must_change_password")
