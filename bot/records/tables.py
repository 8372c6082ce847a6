"""The tables as this version reads and writes them; `migrations` brings a database there.

Times are text in UTC, "2026-11-24T00:39:04Z": they sort, and they read the same on SQLite and
PostgreSQL. `place` is "owner/repo" in lower case, since GitHub compares names that way.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

metadata = sa.MetaData()

audit = sa.Table(
    "audit",
    metadata,
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
    sa.Index("audit_pull", "place", "pull", "id"),
)

audited_grants = sa.Table(
    "audited_grants",
    metadata,
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
    sa.Index("audited_grants_audit", "audit"),
    sa.Index("audited_grants_fingerprint", "fingerprint"),
)

published_checks = sa.Table(
    "published_checks",
    metadata,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("pull", sa.Integer, primary_key=True),
    sa.Column("run", sa.BigInteger, primary_key=True),  # REST id of the check run
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("completed_at", sa.Text, nullable=False),
    sa.Column("pulls", sa.JSON, nullable=False),
    sa.Column("shown", sa.JSON, nullable=False),
    sa.Column("label_event", sa.BigInteger),
    sa.Column("covers", sa.JSON, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)

# What machines on one database share. Times here are seconds since 1970, by the database's clock.

machines = sa.Table(
    "machines",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("beat_at", sa.Double, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("machine", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)

redeliveries = sa.Table(
    "redeliveries",
    metadata,
    sa.Column("guid", sa.Text, primary_key=True),
    sa.Column("asked_at", sa.Double, nullable=False),
)


def stamp(at: datetime) -> str:
    """Write a time as the tables hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text)
