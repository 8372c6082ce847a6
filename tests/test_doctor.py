"""`sockgate doctor` against the small GitHub: each thing that can be wrong, and what mends it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.database import Database
from bot.doctor import machine
from bot.doctor.examine import examine
from bot.doctor.report import Line, State, as_json, as_text, exit_code, fail, lost, ok, unseen, warn
from bot.forge.pace import Pace
from bot.records.upgrade import upgrade
from bot.setup import store
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.github.model.protection import Asked, Protection, Ruleset
from tests.github.receiver import Receiver
from tests.pulls import CHECK, LABEL, Team, team
from tests.test_setup import STORED

__all__ = ["github"]

POLICY = ".github/sockgate.yml"


class Patient:
    """A server's environment, and what the doctor says of it."""

    def __init__(self, acme: Team, data: Path, receiver: Receiver) -> None:
        self.acme = acme
        self.app = acme.app
        self.receiver = receiver
        self.data = data
        self.environment = {
            "APP_ID": str(acme.app.id),
            "PRIVATE_KEY": acme.app.private_key,
            "WEBHOOK_SECRET": acme.app.secret,
            "GITHUB_API_URL": acme.github.url,
            "PUBLIC_URL": receiver.url.removesuffix("/webhook"),
            "DATA_DIR": str(data),
        }

    def lines(self, only: str = "", **changed: str) -> list[Line]:
        found = list(examine(self.environment | changed, only, Pace(0, 0, 0)))
        assert all(line.mend for line in found if line.state is not State.OK)
        return found

    def about(self, about: str, **changed: str) -> list[Line]:
        return [line for line in self.lines(**changed) if line.about == about]

    def one(self, about: str, **changed: str) -> Line:
        (line,) = self.about(about, **changed)
        return line

    def state(self, about: str) -> State:
        return self.one(about).state


@pytest.fixture
def patient(
    github: SmallGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patient]:
    """A server with which nothing is wrong."""
    monkeypatch.setattr(machine, "time", github.clock.time)
    acme = team(github)
    database = Database(f"sqlite:///{tmp_path}/sockgate.sqlite")
    upgrade(database.engine)
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE workflow_status (status TEXT)"))
    database.close()
    with Receiver() as receiver:
        acme.app.webhook_url = receiver.url
        github.webhooks.log.clear()
        acme.app.ping()
        github.settle()
        acme.shop.create_label(LABEL, by=acme.mia)
        github.settle()
        protection = Protection([Asked(CHECK, acme.app.id)], enforce_admins=True)
        acme.shop.protections["main"] = protection
        yield Patient(acme, tmp_path, receiver)
        acme.app.webhook_url = None


def test_a_healthy_server_has_nothing_to_mend(patient: Patient) -> None:
    lines = patient.lines()
    assert {line.state for line in lines} == {State.OK}, as_text(lines)
    assert exit_code(lines) == 0
    shown = as_text(lines)
    for what in ("private key", "clock", "database", "webhook", "acme/shop: required check"):
        assert f"ok      {what}: " in shown


def test_no_secret_is_printed(patient: Patient) -> None:
    lines = patient.lines()
    for secret in (patient.app.secret, patient.app.private_key.split("\n")[1]):
        assert secret not in as_text(lines) + as_json(lines)


# Our own side -----------------------------------------------------------------------------------


def test_each_problem_with_the_settings_is_a_line(patient: Patient) -> None:
    lines = patient.lines(APP_ID="x", WEBHOOK_SECRET="")
    assert [line.says.split()[0] for line in lines] == ["APP_ID", "WEBHOOK_SECRET"]
    assert exit_code(lines) == 1


def test_without_an_app_it_leads_to_the_set_up(tmp_path: Path) -> None:
    lines = list(examine({"DATA_DIR": str(tmp_path)}))
    assert "sockgate serve" in lines[-1].mend
    assert exit_code(lines) == 1


def test_a_file_of_credentials_that_others_can_read(patient: Patient) -> None:
    store.write(patient.data, STORED)
    assert patient.state("settings") is State.OK
    (patient.data / store.NAME).chmod(0o644)
    line = patient.one("settings")
    assert (line.state, line.mend) == (State.FAIL, f"chmod 600 {patient.data / store.NAME}")


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (30, State.WARN), (-30, State.WARN), (90, State.FAIL), (-90, State.FAIL)],
)
def test_a_clock_that_is_wrong(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, seconds: int, state: State
) -> None:
    now = patient.acme.github.clock.time
    monkeypatch.setattr(machine, "time", lambda: now() + seconds)
    assert machine.clock(patient.acme.github.url).state is state


def test_a_database_that_is_not_there(patient: Patient, tmp_path: Path) -> None:
    line = patient.one("database", DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite")
    assert line.state is State.LOST
    assert "start the server" in line.mend


def test_jobs_that_were_given_up_and_a_newer_database(patient: Patient) -> None:
    engine = sa.create_engine(f"sqlite:///{patient.data}/sockgate.sqlite")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO workflow_status VALUES ('ERROR'), ('SUCCESS')"))
        connection.execute(sa.text("UPDATE sockgate_version SET version_num = '9999'"))
    engine.dispose()
    assert patient.one("jobs").says == "1 were given up"
    assert State.FAIL in {line.state for line in patient.about("database")}


# The App ----------------------------------------------------------------------------------------


def test_a_key_of_another_app(patient: Patient) -> None:
    lines = patient.lines(APP_ID=str(patient.app.id + 1))
    (line,) = [one for one in lines if one.about == "private key"]
    assert line.state is State.FAIL
    assert "APP_ID" in line.mend
    assert lines[-1] is line  # nothing else can be asked
    assert exit_code(lines) == 1


def test_a_github_that_is_away(patient: Patient) -> None:
    lines = patient.lines(GITHUB_API_URL="http://127.0.0.1:9/api/v3")
    assert [one.state for one in lines if one.about in {"clock", "private key"}] == [
        State.LOST,
        State.LOST,
    ]
    assert exit_code(lines) == 2


def test_permissions_that_are_missing_or_too_many(patient: Patient) -> None:
    patient.app.permissions |= {"checks": "read", "administration": "write"}
    line = patient.one("permissions")
    assert (line.state, line.says) == (State.FAIL, "missing checks: write")
    assert line.mend.endswith("/settings/apps/sockgate/permissions")
    patient.app.permissions["checks"] = "write"
    line = patient.one("permissions")
    assert (line.state, line.says) == (State.WARN, "more than is used: administration: write")


def test_permissions_that_wait_for_the_owner(patient: Patient) -> None:
    installation = patient.app.installations[0]
    del installation.permissions["merge_queues"]
    installation.events.remove("merge_group")
    lines = patient.about("installation acme")
    assert [line.state for line in lines] == [State.FAIL, State.FAIL]
    assert "merge_queues: read" in lines[0].says
    assert "merge_group" in lines[1].says
    assert lines[0].mend.startswith(f"{patient.acme.github.page_url}/organizations/acme/settings")


def test_events_that_are_not_subscribed(patient: Patient) -> None:
    patient.app.events.remove("push")
    assert patient.one("events").says == "missing push"


def test_a_webhook_that_leads_elsewhere(patient: Patient) -> None:
    app = patient.app
    assert patient.state("webhook") is State.OK
    app.webhook_url = "https://elsewhere.example.com/webhook"
    assert "PUBLIC_URL says" in patient.one("webhook").says
    app.webhook_url = "https://elsewhere.example.com/hook"
    assert patient.state("webhook") is State.FAIL
    app.webhook_url = None
    assert "no webhook URL" in patient.one("webhook").says
    assert patient.one("webhook", PUBLIC_URL="").mend.endswith("set https://HOST/webhook")
    app.webhook_url = "http://elsewhere.example.com/webhook"
    assert "not https" in patient.one("webhook", PUBLIC_URL="").says


def test_a_webhook_that_is_not_safe(patient: Patient) -> None:
    patient.app.insecure_ssl, patient.app.content_type = "1", "form"
    says = [line.says for line in patient.about("webhook") if line.state is State.FAIL]
    assert says == [
        "GitHub does not verify the certificate",
        "deliveries come as form, which the server refuses",
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "not made with WEBHOOK_SECRET"), (502, "the answer 502"), (404, "the answer 404")],
)
def test_deliveries_that_are_not_taken(patient: Patient, status: int, said: str) -> None:
    patient.receiver.status = status
    patient.app.ping()
    patient.acme.github.settle()
    line = patient.one("deliveries")
    assert line.state is State.FAIL
    assert said in line.says


def test_deliveries_that_failed_before(patient: Patient) -> None:
    patient.receiver.status = 503
    patient.app.ping()
    patient.acme.github.settle()
    failed = patient.acme.github.webhooks.log[-1]
    patient.receiver.status = 202
    patient.app.ping()
    patient.acme.github.settle()
    good, bad = patient.about("deliveries")
    assert (good.state, bad.state) == (State.OK, State.WARN)
    patient.acme.github.webhooks.redeliver(failed)
    patient.acme.github.settle()
    assert bad.says.startswith("1 of the last")
    assert len(patient.about("deliveries")) == 1


def test_nothing_delivered_tells_nothing(patient: Patient) -> None:
    patient.acme.github.webhooks.log.clear()
    assert patient.state("deliveries") is State.UNSEEN


def test_an_app_that_is_installed_nowhere_or_suspended(patient: Patient) -> None:
    installation = patient.app.installations[0]
    installation.suspend()
    assert "suspended" in patient.one("installation acme").says
    installation.delete()
    assert patient.one("installations").says == "installed nowhere"


def test_a_rate_limit_that_is_used_up(patient: Patient) -> None:
    installation = patient.app.installations[0]
    patient.acme.github.limits.requests = 100
    for _ in range(95):
        patient.acme.github.rates.spend(patient.acme.github.tokens.issue(installation), "core")
    assert patient.state("rate limit acme") is State.WARN


# Repositories -----------------------------------------------------------------------------------


def test_a_label_that_is_not_there(patient: Patient) -> None:
    patient.acme.shop.commit({POLICY: "label: another\n"}, by=patient.acme.mia)
    line = patient.one("acme/shop: label")
    assert line.state is State.FAIL
    assert "another" in line.says
    assert line.mend.endswith("/acme/shop/labels, New label")


def test_a_policy_that_is_broken(patient: Patient) -> None:
    patient.acme.shop.commit({POLICY: "role: maintain\nlable: x\n"}, by=patient.acme.mia)
    line = patient.one("acme/shop: policy")
    assert line.state is State.FAIL
    assert f"{POLICY} of acme/shop, line 2: lable: no such key" in line.says
    assert line.mend.endswith(f"/acme/shop/blob/HEAD/{POLICY}#L2")
    patient.acme.shop.commit({POLICY: b"\xff\xfe\x00"}, by=patient.acme.mia)
    assert patient.state("acme/shop: policy") is State.FAIL


def test_a_policy_of_the_owner(patient: Patient) -> None:
    owners = patient.acme.shop.owner.repository(".github", {"sockgate.yml": "label: theirs\n"})
    assert owners.full_name == "acme/.github"
    assert patient.one("acme/shop: policy").says == "sockgate.yml of acme/.github"
    assert "theirs" in patient.one("acme/shop: label").says


def protect(patient: Patient, *checks: Asked, admins: bool = True) -> None:
    patient.acme.shop.protections["main"] = Protection(list(checks), enforce_admins=admins)


def test_a_check_that_nothing_waits_for(patient: Patient) -> None:
    protect(patient, Asked("build"))
    line = patient.one("acme/shop: required check")
    assert line.state is State.FAIL
    assert "/acme/shop/settings/rules/new?target=branch" in line.mend
    patient.acme.shop.protections.clear()
    assert patient.state("acme/shop: required check") is State.FAIL


@pytest.mark.parametrize(("source", "said"), [(None, "of any source"), (7, "of the App 7")])
def test_a_check_of_another_source(patient: Patient, source: int | None, said: str) -> None:
    protect(patient, Asked(CHECK, source))
    line = patient.one("acme/shop: required check")
    assert line.state is State.FAIL
    assert said in line.says
    assert "/settings/branches" in line.mend


def test_administrators_who_may_merge_past_it(patient: Patient) -> None:
    protect(patient, Asked(CHECK, patient.app.id), admins=False)
    assert patient.state("acme/shop: required check") is State.OK
    line = patient.one("acme/shop: bypass")
    assert line.state is State.WARN
    assert "Do not allow bypassing" in line.mend


def test_a_ruleset_is_as_good_and_its_bypass_cannot_be_seen(patient: Patient) -> None:
    patient.acme.shop.protections.clear()
    rule = Ruleset(1, "acme", [Asked(CHECK, patient.app.id)], merge_queue=True)
    patient.acme.shop.rulesets.append(rule)
    line = patient.one("acme/shop: required check")
    assert line.state is State.OK
    assert line.says.endswith("by a ruleset of acme")
    assert patient.state("acme/shop: bypass") is State.UNSEEN
    assert patient.state("acme/shop: merge queue") is State.OK
    rule.checks[:] = [Asked(CHECK)]
    assert "of any source" in patient.one("acme/shop: required check").says


def test_a_plan_without_required_checks(patient: Patient, github: SmallGitHub) -> None:
    patient.acme.shop.protections.clear()
    upgrade_first = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    github.faults.add("GET", "/repos/acme/shop/rules/*", status=403, message=upgrade_first)
    line = patient.one("acme/shop: required check")
    assert line.state is State.FAIL
    assert "offers neither" in line.says


def test_what_the_permissions_do_not_show_is_said(patient: Patient) -> None:
    del patient.app.installations[0].permissions["contents"]
    lines = patient.lines()
    (line,) = [one for one in lines if one.about == "acme/shop: required check"]
    assert line.state is State.UNSEEN
    assert "cannot be seen with these permissions" in line.says


def test_one_repository_can_be_asked_for(patient: Patient) -> None:
    patient.acme.shop.owner.repository("other", {"a": "b"})
    names = {line.about.partition(":")[0] for line in patient.lines() if "/" in line.about}
    assert names == {"acme/shop", "acme/other"}
    lines = patient.lines("Acme/Shop")
    assert {line.about.partition(":")[0] for line in lines if "/" in line.about} == {"acme/shop"}
    (line,) = [one for one in patient.lines("acme/none") if one.about == "acme/none"]
    assert line.state is State.FAIL


def test_a_fault_of_github_is_no_verdict(patient: Patient, github: SmallGitHub) -> None:
    github.faults.add("GET", "/repos/acme/shop/rules/*", status=500, times=20)
    line = patient.one("acme/shop: required check")
    assert line.state is State.LOST


# What is printed --------------------------------------------------------------------------------


def test_exit_codes() -> None:
    assert exit_code([ok("a", "b"), warn("a", "b", "c"), unseen("a", "b", "c")]) == 0
    assert exit_code([ok("a", "b"), lost("a", "b", "c")]) == 2
    assert exit_code([lost("a", "b", "c"), fail("a", "b", "c")]) == 1


def test_what_others_wrote_steers_no_terminal() -> None:
    text = as_text([ok("a\x1b[31m", "b\nok  c\u202e")])
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\u202e" not in text


def run(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "doctor", *arguments],
        env=os.environ | environment,
        cwd=Path(__file__).parents[1],
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_command(patient: Patient) -> None:
    patient.app.events.remove("push")
    done = run(patient.environment, "--format", "json", "--repo", "acme/shop")
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode == 1
    assert {"about": "events", "state": "fail"}.items() <= next(
        line.items() for line in told["lines"] if line["about"] == "events"
    )
    assert done.stderr == ""
