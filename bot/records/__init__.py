"""SHELL over SQLAlchemy: what the server keeps beside its jobs, in the same database."""
