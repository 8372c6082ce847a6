"""The dashboard and the alerts in ops/: they load as they are, and ask for what there is."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Arrivals, Depth, Metrics

OPS = Path(__file__).parents[1] / "ops"
NAME = re.compile(r"\bsockgate_[a-z0-9_]+")
MATCHER = re.compile(r"(sockgate_[a-z0-9_]+)\{([^}]*)\}")


def exported() -> dict[str, set[str]]:
    """Return the labels of every metric that a server has, by its name."""
    arrivals, metrics = Arrivals(Depth), Metrics()
    arrivals.delivery("push", "failed")
    metrics.evaluation("done", 1)
    metrics.github("rest", "ok", 1)
    left = {"remaining": "1", "limit": "5000", "reset": str(round(time.time()) + 60)}
    metrics.rate(7, {f"x-ratelimit-{name}": value for name, value in left.items()})
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families((arrivals.text() + metrics.text()).decode()):
        for one in family.samples:
            found.setdefault(one.name, set()).update(one.labels)
    return found


def is_of_ours(query: str) -> None:
    """Check that a query names metrics and labels that exist."""
    known = exported()
    names = NAME.findall(query)
    assert names, query
    assert set(names) <= set(known), query
    for name, matchers in MATCHER.findall(query):
        labels = {re.split(r"[=!]", one)[0].strip() for one in matchers.split(",")}
        assert labels <= known[name] | {"job"}, query
    for labels in re.findall(r"by \(([^)]*)\)", query):
        for label in labels.split(","):
            has_it = any(label.strip() in known[name] for name in names)
            assert label.strip() == "job" or has_it, query


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((OPS / "alerts.yml").read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_every_alert_asks_for_what_there_is_and_says_what_to_do() -> None:
    found = alerts()
    assert len({one["alert"] for one in found}) == len(found) >= 7
    for one in found:
        assert set(one) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"[A-Z][A-Za-z]+", one["alert"])
        assert one["labels"]["severity"] in {"info", "warning", "critical"}
        assert re.fullmatch(r"\d+[smh]", one.get("for", "1m"))
        assert set(one["annotations"]) == {"summary", "description"}
        assert one["annotations"]["description"].endswith(".")
        is_of_ours(one["expr"])


@pytest.mark.skipif(
    not shutil.which("promtool") and "CI" not in os.environ,
    reason="promtool is not on this machine: install the package prometheus",
)
def test_prometheus_takes_the_alerts() -> None:
    subprocess.run(["promtool", "check", "rules", OPS / "alerts.yml"], check=True)


def test_the_commands_that_alerts_name_exist() -> None:
    text = (OPS / "alerts.yml").read_text("utf-8")
    commands = set(re.findall(r"`sockgate ([a-z]+)[^`]*`", text))
    assert {"doctor", "jobs"} <= commands
    for command in commands:
        said = subprocess.run(
            [sys.executable, "-m", "bot.cli", command, "--help"], check=True, capture_output=True
        )
        options = set(re.findall(rf"`sockgate {command}[^`]*(--[a-z-]+)", text))
        assert all(option in said.stdout.decode() for option in options)


def test_grafana_takes_the_dashboard() -> None:
    board = json.loads((OPS / "grafana-dashboard.json").read_text("utf-8"))
    assert board["schemaVersion"] >= 36
    assert "id" not in board  # else Grafana would look for one of its own
    variables = {one["name"]: one["type"] for one in board["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query"}
    panels = board["panels"]
    assert len({one["id"] for one in panels}) == len(panels) > 10
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["title"]
        assert panel["description"]
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        taken |= cells
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            is_of_ours(target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*"))


def test_what_the_server_counts_is_on_the_dashboard() -> None:
    text = (OPS / "grafana-dashboard.json").read_text("utf-8")
    for name in exported():
        base = re.sub(r"_(bucket|count|sum|created)$", "", name)
        assert base in text, base
