"""Open the database beside a server that is running, to read and never to write."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.records.tables import audit


class UnreadableError(Exception):
    """Why there is nothing to read, in one sentence."""


def reader(url: str) -> sa.Engine:
    """Return an engine whose sessions cannot write.

    Raises UnreadableError where there is no database, or one that no server has prepared.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "").absolute()
        if not file.is_file():
            raise UnreadableError(f"There is no database {file}: set DATA_DIR or DATABASE_URL.")
        engine = sa.create_engine(f"sqlite:///{file.as_uri()}?mode=ro&uri=true")
    else:
        options = {"connect_timeout": 10, "options": "-c default_transaction_read_only=on"}
        engine = sa.create_engine(url, connect_args=options)
    printable = parsed.render_as_string(hide_password=True)
    try:
        ready = sa.inspect(engine).has_table(audit.name)
    except SQLAlchemyError as error:
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        raise UnreadableError(f"The database {printable} cannot be read: {cause}.") from error
    if not ready:
        raise UnreadableError(f"No server of this version has used the database {printable} yet.")
    return engine
