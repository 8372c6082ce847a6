"""Several machines on one database: who is alive, who does what for all, what was asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Times are seconds since 1970, by the database's clock."""
    op.create_table(
        "machines",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("beat_at", sa.Double, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )
    op.create_table(
        "redeliveries",
        sa.Column("guid", sa.Text, primary_key=True),
        sa.Column("asked_at", sa.Double, nullable=False),
    )
