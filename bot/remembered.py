"""What GitHub says of our own checks, and beside it what was remembered of them."""

from dataclasses import replace

from bot.forge.read import when
from bot.gate.facts import Facts
from bot.memory import Memory


def remembered(memory: Memory, facts: Facts) -> Facts:
    """Add the runs of ours that GitHub does not list any more.

    What GitHub says of a run is taken over what was remembered of it. Raises MemoryFailedError.
    """
    listed = {run.id for run in facts.checks}
    memory.remember(facts.pull, facts.checks)
    also = [run for run in memory.checks(facts.pull) if run.id not in listed]
    return replace(facts, checks=tuple(sorted((*facts.checks, *also), key=when)))
