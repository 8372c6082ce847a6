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

# The register: what default branches hold now, and held before.

repositories = sa.Table(
    "repositories",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),  # REST id
    sa.Column("installation", sa.BigInteger, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("branch", sa.Text, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # of the files that were scanned
    sa.Column("scanned_at", sa.Text, nullable=False),
    sa.Column("failed", sa.Text, nullable=False),  # why the last scan did; empty where it did not
    sa.Index("repositories_place", "place"),
    sa.Index("repositories_installation", "installation"),
)

register_grants = sa.Table(
    "register_grants",
    metadata,
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
    sa.Column("count", sa.Integer, nullable=False),  # grants of this fingerprint
    sa.Column("first_seen", sa.Text, nullable=False),
    sa.Column("gone_at", sa.Text),
    sa.Column("audit", sa.Integer, sa.ForeignKey("audit.id")),  # the entry that justified it
    sa.Column("justified_by", sa.Text, nullable=False),  # login; empty where nobody did
    sa.Column("justified_at", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("register_grants_repository", "repository", "gone_at"),
    sa.Index("register_grants_first_seen", "gone_at", "first_seen", "id"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("repository", sa.BigInteger, sa.ForeignKey("repositories.id"), primary_key=True),
    sa.Column("login", sa.Text, primary_key=True),  # in lower case
    sa.Column("role", sa.Text, nullable=False),  # now; "none" where the person has left
    sa.Column("looked_up_at", sa.Text, nullable=False),
)

# Who is signed in, and what GitHub said they may see. Digests of the cookies, no tokens.

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # sha256 of what the cookie holds
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("until", sa.Text, nullable=False),
    sa.Index("sessions_until", "until"),
)

session_repositories = sa.Table(
    "session_repositories",
    metadata,
    sa.Column(
        "session", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("repository", sa.BigInteger, primary_key=True, autoincrement=False),  # REST id
)


def stamp(at: datetime) -> str:
    """Write a time as the tables hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text)
