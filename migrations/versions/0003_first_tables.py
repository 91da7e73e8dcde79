"""Create the first tables.

This is the first migration. From here on migrations are only added, never merged.
"""

import sqlalchemy as sa
from alembic import op

from leadapp.models.columns import UTCDateTime

revision = "0003"
down_revision = None
branch_labels = None
depends_on = None

# Triggers keep the number of leads in each status. Migration 0006 removes them.
TRIGGERS = {
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


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=50), nullable=False),
        sa.Column("username_key", sa.String(length=50), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("hashed_password", sa.String(length=60), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
    )

    op.create_table(
        "logins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_logins_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"])

    op.create_table(
        "failed_sign_ins",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("who", "address", name=op.f("pk_failed_sign_ins")),
    )

    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "reference",
            sa.String(length=12).with_variant(sa.String(length=12, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "email_key",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "first_name_key",
            sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "last_name_key",
            sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("PENDING", "REACHED_OUT", name="leadstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("submission_count", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("pending_since", UTCDateTime(), nullable=False),
        sa.Column("reached_out_at", UTCDateTime(), nullable=True),
        sa.Column("reached_out_by", sa.Uuid(), nullable=True),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        sa.Column("erasure_asked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reached_out_by"],
            ["users.id"],
            name=op.f("fk_leads_reached_out_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("email_key", name=op.f("uq_leads_email_key")),
    )
    op.create_index("ix_leads_created_at", "leads", ["created_at", "id"])
    op.create_index("ix_leads_first_name_key", "leads", ["first_name_key", "id"])
    op.create_index("ix_leads_last_name_key", "leads", ["last_name_key", "id"])
    op.create_index("ix_leads_pending_since", "leads", ["pending_since", "id"])
    op.create_index("ix_leads_reference", "leads", ["reference"])
    op.create_index("ix_leads_status_created_at", "leads", ["status", "created_at", "id"])
    op.create_index("ix_leads_status_email_key", "leads", ["status", "email_key", "id"])
    op.create_index("ix_leads_status_first_name_key", "leads", ["status", "first_name_key", "id"])
    op.create_index("ix_leads_status_id", "leads", ["status", "id"])
    op.create_index("ix_leads_status_last_name_key", "leads", ["status", "last_name_key", "id"])
    op.create_index("ix_leads_status_pending_since", "leads", ["status", "pending_since", "id"])
    op.create_index("ix_leads_status_reached_out_at", "leads", ["status", "reached_out_at", "id"])
    op.create_index("ix_leads_status_updated_at", "leads", ["status", "updated_at", "id"])
    op.create_index("ix_leads_updated_at", "leads", ["updated_at", "id"])
    op.create_index("ix_leads_erasure_asked_at", "leads", ["erasure_asked_at"])

    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_events_lead_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_events_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_lead_id", "events", ["lead_id", "id"])

    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("storage_key", sa.String(length=64), nullable=False),
        sa.Column("once", sa.String(length=200), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_submissions_lead_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("lead_id", "number", name=op.f("uq_submissions_lead_id_number")),
        sa.UniqueConstraint("once", name=op.f("uq_submissions_once")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_submissions_storage_key")),
    )
    op.create_index("ix_submissions_created_at", "submissions", ["created_at"])

    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_letters_submission_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
    )
    op.create_index("ix_letters_sent_at", "letters", ["sent_at", "next_at", "created_at"])
    op.create_index("ix_letters_submission_id", "letters", ["submission_id"])
    op.create_index("ix_letters_next_at", "letters", ["next_at"])

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
        sa.Column(
            "status",
            sa.Enum("PENDING", "REACHED_OUT", name="leadstatus", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("leads", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("status", name=op.f("pk_tallies")),
    )
    op.execute("INSERT INTO tallies (status, leads) VALUES ('PENDING', 0), ('REACHED_OUT', 0)")
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    # Dropping a table also drops its triggers.
    op.drop_table("erasures")
    op.drop_table("letters")
    op.drop_table("submissions")
    op.drop_table("events")
    op.drop_table("leads")
    op.drop_table("tallies")
    op.drop_table("failed_sign_ins")
    op.drop_table("logins")
    op.drop_table("users")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tally_leads()")
