"""Where a line of text has the daemon listen: in its options, or in its configuration.

Source: dockerd reference, "Daemon socket option": `-H tcp://host:port`, short `-H host:port`. Where
logs are sent (`--log-opt gelf-address=tcp://…`) is no place to listen.
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.grant import How, Severity
from bot.detect.sockets import Target

_HOST = r"(?:\{\{[^{}\n]*\}\}|[^\s\"',:/{])"
_LISTENS = re.compile(
    rf"(?P<url>(?<!address=)tcp://{_HOST}+(?::\d+)?)"
    rf"|(?:(?<![\w-])-H|--host)[ \t=]+[\"']?(?P<short>{_HOST}*:\d{{2,5}})(?![\w/:])"
)


def opened(line: str) -> Iterator[tuple[int, Target]]:
    """Yield what each address opens that the daemon is told to listen on, and where it stands."""
    for found in _LISTENS.finditer(line):
        address = found["url"] or f"tcp://{found['short']}"
        target = sockets.address(address)
        if target is not None and target.resource.startswith("tcp://"):
            yield found.start(), Target(target.resource, How.LISTEN, Severity.CRITICAL)
