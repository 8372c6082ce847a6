"""Pipelines whose steps mount "source:target" themselves: Woodpecker, and Drone up to 0.8.

pipeline:
  build:
    image: docker
    volumes: [/var/run/docker.sock:/var/run/docker.sock]
"""

from collections.abc import Iterator

from bot.detect.ci.places import Places, address_grants
from bot.detect.ci.steps import (
    environment,
    restrictions,
    script_grants,
    steps_of,
    subject_of,
    volume_grants,
)
from bot.detect.grant import Grant
from bot.detect.positioned import Node

_KINDS = (("steps", "step"), ("pipeline", "step"), ("services", "service"), ("clone", "clone"))


def pipeline_grants(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what the steps and services of one workflow are handed."""
    general = environment(places, document.get("environment"))
    for key, kind in _KINDS:
        for name, step in steps_of(document.get(key)):
            subject = subject_of(f"{kind} {name}", step)
            restricted = restrictions(places, step)
            yield from volume_grants(places, subject, step.get("volumes"), restricted)
            own = environment(places, step.get("environment"))
            yield from address_grants(places, subject, own, general | own)
            commands = (step.get("commands"), step.get("command"), step.get("entrypoint"))
            yield from script_grants(places, subject, commands, general | own)
