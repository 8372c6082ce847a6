"""Both databases: each is made, opened again, and refused where something newer wrote it."""

import sqlalchemy as sa

from bot.database import Database
from tests.postgres import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]


def test_each_test_has_an_empty_database(postgres: str) -> None:
    database = Database(postgres)
    with database.engine.connect() as connection:
        tables = sa.text("SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'dbos')")
        assert connection.execute(tables).scalar() == 0
    database.close()
