"""Structured logs: one JSON object a line on standard error, without secrets.

Whoever handles a delivery binds `delivery`, `repository`, `pull` and `head` to the context; each
line written meanwhile in the same thread or task carries them, also those of libraries.
"""

import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
# Tokens of GitHub, JSON web tokens, private keys, credentials in headers and in addresses.
_SECRETS = re.compile(
    r"gh[a-z]_[0-9A-Za-z]{20,}|github_pat_\w{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN[^-]*PRIVATE KEY-----.*?(?:-----END[^-]*PRIVATE KEY-----|\Z)"
    r"|(?<=[Bb]earer )[^\s'\"]+|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    re.DOTALL,
)
# Libraries that speak of their own routine at every request; their warnings stay.
_CHATTY = ("alembic", "dbos", "uvicorn.access", "urllib3", "github", "sqlalchemy", "asyncio")


def configure(level: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send everything that logs, ours and the libraries', to one stream in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.ExtraAdder(),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _Hide(secrets),
        structlog.processors.JSONRenderer(default=str),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    # Nothing here says in which thread, process or line: to find that out takes as long as the rest
    # (docs.python.org, "Logging HOWTO", Optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")
    # DBOS prints to the console by itself unless its logger already has a handler.
    dbos = logging.getLogger("dbos")
    dbos.handlers, dbos.propagate = [handler], False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class _Hide:
    """Take secrets out of every text of a line: the given ones, and what looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._given = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        texts = {
            key: value if isinstance(value, str) else str(value)
            for key, value in event.items()
            if not (value is None or isinstance(value, bool | int | float))
        }
        if self._is_found("\n".join(texts.values())):
            texts = {key: self._hidden(text) for key, text in texts.items()}
        return {**event, **texts}

    def _is_found(self, text: str) -> bool:
        """Look once through all of a line: hardly any holds a secret."""
        return any(secret in text for secret in self._given) or _SECRETS.search(text) is not None

    def _hidden(self, text: str) -> str:
        for secret in self._given:
            text = text.replace(secret, HIDDEN)
        return _SECRETS.sub(HIDDEN, text)
