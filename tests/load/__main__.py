"""`make load`: how fast deliveries are acknowledged, and how evaluations scale over machines.

SECONDS, RATES ("100 200 400"), CALL (seconds that GitHub takes), MACHINES ("1 2 3") in the
environment make it shorter or longer. The load average stands beside each figure: with other work
on the machine they mean little.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.load.generator import Load
from tests.load.processes import SECRET, TOP, Watch, figure, process, ready, settings
from tests.load.scaling import scaling
from tests.ports import free_port

SECONDS = float(os.environ.get("SECONDS", "30"))
RATES = [float(rate) for rate in os.environ.get("RATES", "100 200 400").split()]
MACHINES = [int(number) for number in os.environ.get("MACHINES", "1 2 3").split()]
CALL = os.environ.get("CALL", "0.1")
CONNECTIONS = 64
AT_ONCE = 64  # connections that look for the most
AIM = 200.0  # deliveries a second at which p99 is to be under 100 ms


def main() -> int:
    """Measure, print, and return 1 where the aim was missed."""
    met = acknowledgement()
    if MACHINES:
        scaling(MACHINES, CALL, SECONDS)
    return 0 if met else 1


def acknowledgement() -> bool:
    """Measure our end point beside a bare one."""
    port, bare_port, api_port = free_port(), free_port(), free_port()
    with (
        tempfile.TemporaryDirectory(prefix="sockgate-load-") as folder,
        process("tests.load.replay", str(api_port), "0"),
        process("tests.load.bare", str(bare_port), SECRET),
    ):
        ready(bare_port)
        ready(api_port, "/api/v3/app")
        with process("bot.cli", "serve", **settings(port, api_port, Path(folder))) as server:
            say(f"ready after {ready(port):.2f} s")
            say("deliveries of 30 kB; latency in ms from when each was due; memory in MB")
            with Watch(server.pid) as watch:
                ours = [one for rate in RATES for one in [load("sockgate", port, rate)]]
                most = load("sockgate", port, 0)
                done = figure(port, 'sockgate_evaluations_total{outcome="done"}')
            bare = [load("bare", bare_port, rate) for rate in RATES]
            bare_most = load("bare", bare_port, 0)
    share = most.a_second / bare_most.a_second
    say(f"the most: sockgate {most.a_second} a second, bare {bare_most.a_second}: {share:.2f}")
    seen = watch.seen
    say(f"memory: first {seen[0]}, highest {max(seen)}, last {seen[-1]}; every tenth: {seen[::10]}")
    say(f"evaluations meanwhile: {done:.0f}")
    at_aim = [one for one in ours if one.rate <= AIM]
    return (
        not any(one.errors for one in (*ours, most, *bare))
        and all(one.p99 < 100 for one in at_aim)
        and share > 1 / 3
    )


def load(name: str, port: int, rate: float) -> Load:
    """Run the generator once and print what it found."""
    connections = CONNECTIONS if rate else AT_ONCE
    arguments = [str(port), str(rate), str(SECONDS), str(connections), SECRET]
    said = subprocess.run(
        [sys.executable, "-m", "tests.load.generator", *arguments],
        check=True,
        capture_output=True,
        cwd=TOP,
    )
    found = Load(**json.loads(said.stdout))
    how = f"{rate:.0f} a second" if rate else "the most"
    say(
        f"{name:9} {how:14} p50 {found.p50:8} p99 {found.p99:8} longest {found.longest:8} "
        f"answered {found.a_second:7} a second, {found.statuses}, load {os.getloadavg()[0]:.1f}"
    )
    return found


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
