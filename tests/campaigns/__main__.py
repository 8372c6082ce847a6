"""`make kill` and `make storm`: the campaigns in full, on SQLite and on PostgreSQL.

KILLS (200), PULLS (100) and SEED in the environment; the seed is printed.
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.campaigns import campaigns
from tests.postgres import start


def main(what: str) -> int:
    number = int(os.environ.get("KILLS", "200"))
    pulls = int(os.environ.get("PULLS", "100"))
    seed = int(os.environ.get("SEED", str(time.time_ns() % 1_000_000)))
    with tempfile.TemporaryDirectory(prefix="sockgate-campaign-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server, process = start(folder / "postgres")
        try:
            for kind, database in (("SQLite", ""), ("PostgreSQL", server.url(server.create()))):
                began = time.monotonic()
                place = folder / kind
                place.mkdir()
                if what == "kill":
                    campaigns.kills(place, database, number=number, pulls=pulls, seed=seed)
                    told = f"{number} kills"
                else:
                    told = f"{campaigns.storm(place, database, pulls=pulls, seed=seed)} requests"
                took = round(time.monotonic() - began)
                sys.stdout.write(f"{kind}: {pulls} pull requests, {told}, seed {seed}: ")
                sys.stdout.write(f"all right after {took} s\n")
                sys.stdout.flush()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
