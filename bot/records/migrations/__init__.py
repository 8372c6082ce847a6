"""How each version of the tables came to be, oldest first. Alembic runs them."""
