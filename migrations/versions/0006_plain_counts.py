"""Count leads by an index on the status, instead of by triggers.

On PostgreSQL two transactions that added leads waited for each other, because both updated the same
row.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CREATE_TRIGGERS = {
    "sqlite": (
        """
        CREATE TRIGGER leads_added AFTER INSERT ON leads FOR EACH ROW
        BEGIN
            UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status;
        END
        """,
        """
        CREATE TRIGGER leads_removed AFTER DELETE ON leads FOR EACH ROW
        BEGIN
            UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status;
        END
        """,
        """
        CREATE TRIGGER leads_moved AFTER UPDATE OF status ON leads FOR EACH ROW
        WHEN (OLD.status <> NEW.status)
        BEGIN
            UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status;
            UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status;
        END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION tally_leads() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                PERFORM 1 FROM tallies ORDER BY status FOR UPDATE;
            END IF;
            IF TG_OP <> 'INSERT' THEN
                UPDATE tallies SET leads = leads - 1 WHERE status = OLD.status;
            END IF;
            IF TG_OP <> 'DELETE' THEN
                UPDATE tallies SET leads = leads + 1 WHERE status = NEW.status;
            END IF;
            RETURN NULL;
        END $$
        """,
        """
        CREATE TRIGGER leads_added AFTER INSERT ON leads FOR EACH ROW
        EXECUTE FUNCTION tally_leads()
        """,
        """
        CREATE TRIGGER leads_removed AFTER DELETE ON leads FOR EACH ROW
        EXECUTE FUNCTION tally_leads()
        """,
        """
        CREATE TRIGGER leads_moved AFTER UPDATE OF status ON leads FOR EACH ROW
        WHEN (OLD.status <> NEW.status)
        EXECUTE FUNCTION tally_leads()
        """,
    ),
}
DROP_TRIGGERS = {
    "sqlite": (
        "DROP TRIGGER leads_added",
        "DROP TRIGGER leads_removed",
        "DROP TRIGGER leads_moved",
    ),
    "postgresql": (
        "DROP TRIGGER leads_added ON leads",
        "DROP TRIGGER leads_removed ON leads",
        "DROP TRIGGER leads_moved ON leads",
        "DROP FUNCTION tally_leads()",
    ),
}


def upgrade() -> None:
    for statement in DROP_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table("tallies")
    op.create_index("ix_leads_status", "leads", ["status"])


def downgrade() -> None:
    op.drop_index("ix_leads_status", "leads")
    op.create_table(
        "tallies",
        sa.Column(
            "status",
            sa.Enum("PENDING", "REACHED_OUT", name="leadstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("status", name=op.f("pk_tallies")),
    )
    for statement in CREATE_TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.execute("INSERT INTO tallies SELECT 'PENDING', count(*) FROM leads WHERE status = 'PENDING'")
    op.execute(
        "INSERT INTO tallies SELECT 'REACHED_OUT', count(*) FROM leads WHERE status = 'REACHED_OUT'"
    )
