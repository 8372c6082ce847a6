"""Bring a database's own tables to this version, or refuse one that is newer."""

from pathlib import Path

import sqlalchemy as sa

VERSION_TABLE = "sockgate_version"
NEWEST = "0003"  # the last of `migrations/versions`

_KEY = 7_263_470_625_113  # of the lock that machines starting together queue up for


class NewerError(Exception):
    """The database was written by a newer version, in one sentence."""


def upgrade(engine: sa.Engine) -> None:
    """Create or alter the tables. Raises NewerError; several machines may do it at once."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY})
        found = _version(connection)
        if found == NEWEST:  # without Alembic, whose import takes longer than this whole start
            return
        from alembic import command  # noqa: PLC0415 - start-up
        from alembic.config import Config  # noqa: PLC0415
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise NewerError(
                f"The database was written by a newer version of sockgate (its tables are of "
                f"version {found}, this one knows {NEWEST}): start that version."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    query = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a name of ours
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else str(found)
