"""The audit log, append-only, and what our published checks said."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("audit", "audited_grants")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("repository", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("pull", sa.Integer, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("conclusion", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("label_event", sa.BigInteger, nullable=False),
        sa.Column("labelled_at", sa.Text),
        sa.Column("refused_actor", sa.Text, nullable=False),
        sa.Column("refused_why", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
    )
    op.create_index("audit_pull", "audit", ["place", "pull", "id"])
    op.create_table(
        "audited_grants",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("audit", sa.Integer, sa.ForeignKey("audit.id"), nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
    )
    op.create_index("audited_grants_audit", "audited_grants", ["audit"])
    op.create_index("audited_grants_fingerprint", "audited_grants", ["fingerprint"])
    op.create_table(
        "published_checks",
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("pull", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("completed_at", sa.Text, nullable=False),
        sa.Column("pulls", sa.JSON, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("label_event", sa.BigInteger),
        sa.Column("covers", sa.JSON, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        _forbid_on_sqlite()
    else:
        _forbid_on_postgresql()


def _forbid_on_sqlite() -> None:
    """Refuse changes of what was recorded (sqlite.org/lang_createtrigger.html, RAISE)."""
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )


def _forbid_on_postgresql() -> None:
    """Refuse changes of what was recorded (PostgreSQL manual, "Trigger Functions")."""
    op.execute(
        "CREATE FUNCTION sockgate_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION sockgate_append_only()"
        )
