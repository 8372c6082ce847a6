"""The campaigns. Each ends with every pull request right, or raises AssertionError."""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.campaigns import PATIENCE
from tests.campaigns.machines import Machine, settle
from tests.campaigns.town import Town
from tests.github import SmallGitHub
from tests.github.faults import Fault
from tests.proxy import Proxy

SHORTER = 0.05  # of the usual first pause, see `tests.campaigns.server`
KILLED = ("all", "all", "main", "worker", "web")  # of a server's processes, each time by chance
SETTLED = 120.0  # seconds without a change after which it counts as stuck


def kills(folder: Path, database: str, *, number: int, pulls: int, seed: int) -> None:
    """Kill the server or a part of it at random moments, from its start to its work."""
    chance = random.Random(seed)
    with SmallGitHub(strict=False) as github:
        town = Town(github, pulls, seed)
        machine = Machine(town, folder, database)
        town.app.webhook_url = machine.webhook
        try:
            for left in range(number, 0, -1):
                machine.start(wait=False)
                end = time.monotonic() + chance.uniform(0.1, 5.0)
                share = max(1, town.left // left)
                while time.monotonic() < end:
                    time.sleep(chance.uniform(0, 0.3))
                    share -= town.go_on(share) if share > 0 else 0
                machine.kill(chance.choice(KILLED))
            machine.start()
            settle(town, machine, SETTLED)
        finally:
            machine.kill()


def downtime(folder: Path, database: str, *, pulls: int, seed: int) -> int:
    """Let everything happen while nobody listens; return how many deliveries were missed."""
    with SmallGitHub(strict=False) as github:
        town = Town(github, pulls, seed)
        machine = Machine(town, folder, database)
        town.app.webhook_url = machine.webhook
        machine.start()
        machine.stop()
        town.go_on(pulls)
        github.webhooks.settle()
        missed = sum(1 for one in github.webhooks.log if one.status_code == 502)
        try:
            machine.start()
            settle(town, machine, SETTLED)
        finally:
            machine.kill()
    return missed


def storm(folder: Path, database: str, *, pulls: int, seed: int, each: float = 0.3) -> int:
    """Let every route fail in every way; return how many requests there were in all.

    The first pause is a twentieth of the usual one and the longest far less, so an hour's limit is
    one of three minutes here.
    """
    with SmallGitHub(strict=False) as github:
        github.limits.requests = github.limits.points = 1_000_000
        town = Town(github, pulls, seed)
        machine = Machine(town, folder, database)
        town.app.webhook_url = machine.webhook
        faults = _faults(github, each)
        try:
            machine.start()
            settle(town, machine, SETTLED)
        finally:
            machine.kill()
        struck = sum(fault.hits for fault in faults)
        assert struck > pulls, "there was no storm"
        times = [one.at for one in github.requests.counted()]
        hours = Counter(int((at - times[0]) // (3600 * SHORTER)) for at in times)
        assert max(hours.values()) < 5_000, hours
        return len(times)


def _faults(github: SmallGitHub, each: float) -> list[Fault]:
    """Add every way to fail; the first that strikes a request decides, so all together are `each`.

    A 404 strikes only reading: it is what GitHub answers of something that it has just announced.
    """
    ways: list[dict[str, Any]] = [
        {"status": 500},
        {"status": 502},
        {"status": 502, "after": True},
        {"status": 503},
        {"status": 504, "after": True},
        {"reset": True},
        {"reset": True, "after": True},
        {"truncate": True},
        {"delay": PATIENCE + 1.0},
        {"status": 401, "message": "Bad credentials"},
        {"status": 429, "headers": {"retry-after": "1"}},
        {
            "status": 403,
            "message": "API rate limit exceeded for installation",
            "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()))},
        },
    ]
    one = 1 - (1 - each) ** (1 / (len(ways) + 1))
    return [
        *(github.faults.add(probability=one, **way) for way in ways),
        github.faults.secondary_limit(retry_after=1, probability=one),
        github.faults.add("GET", "/repos/*/compare/*", status=404, probability=one),
    ]


def three(
    folder: Path, database: str, proxied: str, proxy: Proxy, *, pulls: int, seed: int
) -> None:
    """Run three servers on one PostgreSQL; kill one, and cut one off from the database."""
    chance = random.Random(seed)
    with SmallGitHub(strict=False) as github:
        town = Town(github, pulls, seed)
        doomed, cut, steady = (Machine(town, folder, url) for url in (database, proxied, database))
        try:
            for machine in (steady, doomed, cut):
                machine.start()
            for moment in range(12):
                town.app.webhook_url = (doomed, cut, steady)[moment % 3].webhook
                town.go_on(max(1, town.left // (12 - moment)))
                time.sleep(chance.uniform(0.1, 0.5))
                if moment == 4:
                    doomed.kill()
                if moment == 6:
                    proxy.cut()
            town.app.webhook_url = steady.webhook
            settle(town, steady, SETTLED)
        finally:
            for machine in (doomed, cut, steady):
                machine.kill()


def stopped(folder: Path, database: str, *, pulls: int, seed: int) -> float:
    """Stop one of two servers while it works; return how many seconds that took.

    Writes are slow to land, so that some are under way when it stops.
    """
    with SmallGitHub(strict=False) as github:
        town = Town(github, pulls, seed)
        first, second = (Machine(town, folder, database) for _ in range(2))
        town.app.webhook_url = first.webhook
        slow = [
            github.faults.add("POST", "/repos/*", delay=1.8),
            github.faults.add(delay=0.6),
        ]
        try:
            for machine in (first, second):
                machine.start()
            town.go_on(pulls)
            time.sleep(1)
            took = first.stop()
            town.app.webhook_url = second.webhook
            for fault in slow:
                github.faults.remove(fault)
            settle(town, second, SETTLED)
        finally:
            first.kill()
            second.kill()
    return took
