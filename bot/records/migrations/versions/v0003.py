"""The register: default branches and their grants, who justified them, and who may see it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "repositories",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("installation", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("branch", sa.Text, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("scanned_at", sa.Text, nullable=False),
        sa.Column("failed", sa.Text, nullable=False),
    )
    op.create_index("repositories_place", "repositories", ["place"])
    op.create_index("repositories_installation", "repositories", ["installation"])
    op.create_table(
        "register_grants",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("repository", sa.BigInteger, sa.ForeignKey("repositories.id"), nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("image", sa.Text),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.Text, nullable=False),
        sa.Column("gone_at", sa.Text),
        sa.Column("audit", sa.Integer, sa.ForeignKey("audit.id")),
        sa.Column("justified_by", sa.Text, nullable=False),
        sa.Column("justified_at", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("register_grants_repository", "register_grants", ["repository", "gone_at"])
    op.create_index(
        "register_grants_first_seen", "register_grants", ["gone_at", "first_seen", "id"]
    )
    op.create_table(
        "people",
        sa.Column("repository", sa.BigInteger, sa.ForeignKey("repositories.id"), primary_key=True),
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("looked_up_at", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
    op.create_index("sessions_until", "sessions", ["until"])
    op.create_table(
        "session_repositories",
        sa.Column(
            "session", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("repository", sa.BigInteger, primary_key=True, autoincrement=False),
    )
