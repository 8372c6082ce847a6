"""What Alembic runs to migrate: on the connection that `upgrade` gives it."""

from alembic import context

from bot.records.upgrade import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
)
context.run_migrations()
