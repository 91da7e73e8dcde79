"""Add lead counts by status, erasure records, and indexes for submissions and erasure requests."""

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATUS = sa.Enum("PENDING", "REACHED_OUT", name="leadstatus", native_enum=False, length=16)
TRIGGERS = {
    "leads_added": "AFTER INSERT ON leads FOR EACH ROW",
    "leads_removed": "AFTER DELETE ON leads FOR EACH ROW",
    "leads_moved": "AFTER UPDATE OF status ON leads FOR EACH ROW WHEN (OLD.status <> NEW.status)",
}
ONE_LESS = "UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status;"
ONE_MORE = "UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status;"
SQLITE = {"leads_added": ONE_MORE, "leads_removed": ONE_LESS, "leads_moved": ONE_LESS + ONE_MORE}
# Lock both rows in the same order. Otherwise two transactions that move leads in opposite
# directions could deadlock.
POSTGRESQL = f"""
CREATE FUNCTION tally_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN PERFORM 1 FROM tallies ORDER BY status FOR UPDATE; END IF;
    IF TG_OP <> 'INSERT' THEN {ONE_LESS} END IF;
    IF TG_OP <> 'DELETE' THEN {ONE_MORE} END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_index("ix_leads_erasure_asked_at", "leads", ["erasure_asked_at"])
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_erasures_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "tallies",
        sa.Column("status", STATUS, nullable=False),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("status", name=op.f("pk_tallies")),
    )
    for status in ("PENDING", "REACHED_OUT"):
        # The statuses are constants, so this SQL is safe.
        op.execute(
            f"INSERT INTO tallies SELECT '{status}', count(*) FROM leads WHERE status = '{status}'"  # noqa: S608
        )
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(POSTGRESQL)
    for name, event in TRIGGERS.items():
        body = f"BEGIN {SQLITE[name]} END" if sqlite else "EXECUTE FUNCTION tally_leads()"
        op.execute(f"CREATE TRIGGER {name} {event} {body}")


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}" + ("" if sqlite else " ON leads"))
    if not sqlite:
        op.execute("DROP FUNCTION tally_leads()")
    op.drop_table("tallies")
    op.drop_table("erasures")
    op.drop_index("ix_submissions_created_at", "submissions")
    op.drop_index("ix_leads_erasure_asked_at", "leads")
