"""What the server remembers: the audit log, and what its checks showed."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from bot.evaluate import Gone
from bot.forge.error import ForgeError
from bot.gate.facts import CheckRun
from bot.gate.verdict import Because
from bot.memory import MemoryFailedError
from bot.publish.audit import VERDICT, AuditedGrant, Entry
from bot.pull import PullRef
from bot.records import log
from bot.records.store import Records
from bot.records.tables import metadata
from bot.records.upgrade import NEWEST, VERSION_TABLE, NewerError, upgrade
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.postgres import postgres, postgres_server
from tests.pulls import GRANTED, LABEL, MORE, Team, team

__all__ = ["github", "postgres", "postgres_server"]

PULL = PullRef(1, "Acme", "shop", 7)
AT = datetime(2026, 11, 24, 0, 39, 4, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'sockgate.sqlite'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


def entries(engine: sa.Engine, **wanted: Any) -> list[log.Logged]:
    return list(log.read(engine, log.Wanted(**wanted)))


def entry(**other: Any) -> Entry:
    grant = AuditedGrant(
        "held", "compose.yaml", 6, "service web", "nginx", "docker", "bind-mount", "critical", "f1"
    )
    given = {"grants": (grant,), "author": "dev"} | other
    return Entry(PULL, VERDICT, AT, "a" * 40, conclusion="failure", because="unjustified", **given)


def test_the_migrations_lead_to_the_tables_that_the_code_uses(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == NEWEST


def test_a_database_is_migrated_once(engine: sa.Engine) -> None:
    records = Records(engine)
    records.record(entry())
    upgrade(engine)
    assert len(entries(engine)) == 1


def test_a_newer_database_is_refused_in_a_sentence(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(NewerError, match=r"newer version of sockgate .*9999.* start that version"):
        upgrade(engine)


@pytest.mark.parametrize("table", ["audit", "audited_grants"])
@pytest.mark.parametrize("deed", ["DELETE FROM {}", "UPDATE {} SET id = 99"])
def test_what_was_recorded_cannot_be_changed(engine: sa.Engine, table: str, deed: str) -> None:
    Records(engine).record(entry())
    with (
        pytest.raises(DBAPIError, match="append-only"),
        engine.begin() as connection,
    ):
        connection.execute(sa.text(deed.format(table)))
    assert len(entries(engine)) == 1


def test_the_way_of_a_pull_request_is_recorded(acme: Team, engine: sa.Engine) -> None:
    records = Records(engine)
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=records)
    acme.done(pull, memory=records)  # the same again is nothing new
    pull.comment("Reason: our build agent starts the test databases", by=acme.mia)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull, memory=records)
    pull.merge(by=acme.mia)
    assert isinstance(acme.evaluate(pull, memory=records), Gone)
    red, green, merged = entries(engine)
    assert (red.event, red.conclusion, red.because) == ("verdict", "failure", "unjustified")
    assert (red.repository, red.pull, red.author) == ("acme/shop", pull.number, "dev")
    assert (red.head, red.actor) == (pull.head_sha, "")
    [grant] = red.grants
    assert (grant.path, grant.line, grant.subject) == ("compose.yaml", 6, "service web")
    assert (grant.standing, grant.severity, grant.image) == ("held", "critical", "nginx")
    assert (green.conclusion, green.actor, green.role) == ("success", "mia", "maintain")
    assert green.reason == "our build agent starts the test databases"
    assert green.labelled_at is not None
    assert red.at < green.labelled_at <= green.at <= merged.at
    assert (merged.event, merged.actor, merged.conclusion) == ("merged", "mia", "success")
    assert merged.grants == green.grants


def test_a_merge_past_a_red_check_stands_out(acme: Team, engine: sa.Engine) -> None:
    records = Records(engine)
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=records)
    pull.merge(by=acme.mia)
    acme.evaluate(pull, memory=records)
    assert entries(engine)[-1].conclusion == "failure"
    assert "merged by mia, while the check was red" in "\n".join(log.as_table(entries(engine)))


def test_who_was_refused_and_the_policy_are_recorded(
    github: SmallGitHub, engine: sa.Engine
) -> None:
    acme = team(github, {".github/sockgate.yml": "role: admin\n"})
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=Records(engine))
    pull.label(LABEL, by=acme.mia)
    acme.done(pull, memory=Records(engine))
    refused = entries(engine)[1]
    assert (refused.conclusion, refused.refused_actor) == ("failure", "mia")
    assert "role" in refused.refused_why
    assert refused.policy.startswith(".github/sockgate.yml ")


def test_a_pull_request_without_findings_leaves_no_trace_until_it_had_one(
    acme: Team, engine: sa.Engine
) -> None:
    records = Records(engine)
    pull = acme.open({"README.md": "y\n"})
    acme.done(pull, memory=records)
    assert entries(engine) == []
    pull.push({"compose.yaml": GRANTED}, by=acme.dev)
    acme.done(pull, memory=records)
    pull.push({"compose.yaml": "services: {}\n"}, by=acme.dev)
    acme.done(pull, memory=records)
    assert [(one.conclusion, len(one.grants)) for one in entries(engine)] == [
        ("failure", 1),
        ("success", 0),
    ]


def test_a_lost_database_is_rebuilt_from_github(
    acme: Team, engine: sa.Engine, tmp_path: Path
) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=Records(engine))
    pull.label(LABEL, by=acme.mia)
    acme.done(pull, memory=Records(engine))
    other = sa.create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    upgrade(other)
    assert acme.done(pull, memory=Records(other)).verdict.because is Because.JUSTIFIED
    assert acme.mergeable(pull)
    known = {run.id for run in Records(engine).checks(acme.ref(pull))}
    rebuilt = {run.id for run in Records(other).checks(acme.ref(pull))}
    assert rebuilt == known != set()
    other.dispose()


def test_what_a_vanished_check_showed_is_remembered_and_nothing_more(
    acme: Team, engine: sa.Engine
) -> None:
    """The commit goes from the pull request, and GitHub lists its checks no more."""
    records = Records(engine)
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=records)
    ref = acme.ref(pull)
    [run] = records.checks(ref)
    assert run.shown == acme.done(pull, memory=records).verdict.fingerprints
    assert run.completed_at is not None
    assert run.head == pull.head_sha
    assert run.pulls == {pull.number}
    pull.push({"compose.yaml": MORE}, by=acme.dev)
    pull.label(LABEL, by=acme.mia)
    assert acme.done(pull, memory=records).verdict.because is Because.UNJUSTIFIED
    assert not acme.mergeable(pull)


def test_what_a_pull_request_says_fits_every_database(engine: sa.Engine) -> None:
    records = Records(engine)
    hostile = AuditedGrant(
        "held", "a\0b", 1, "x" * 100_000, None, "\ud800", "bind-mount", "critical", "f2"
    )
    records.record(entry(grants=(hostile,), reason="=cmd|' /C calc'!A0\n\x1b[31m"))
    [stored] = entries(engine)
    assert stored.grants[0].path == "a\N{REPLACEMENT CHARACTER}b"
    assert len(stored.grants[0].subject) == 4_000
    [_, line] = log.as_table(entries(engine))
    assert "\x1b" not in line
    [row] = csv.DictReader(io.StringIO("\n".join(log.as_csv(entries(engine))), newline=""))
    assert row["reason"].startswith("'=cmd")


def test_a_database_that_is_away_is_a_reason_to_try_again(acme: Team, engine: sa.Engine) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE published_checks"))
    with pytest.raises(MemoryFailedError):
        Records(engine).remember(PULL, [CheckRun("a" * 40, AT, shown=frozenset("f"), id=1)])
    with pytest.raises(ForgeError) as raised:
        acme.evaluate(pull, memory=Records(engine))
    assert raised.value.retry


def sockgate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "audit", *arguments],
        capture_output=True, text=True, check=False, env=os.environ | environment,
    )  # fmt: skip


def test_the_command_reads_the_log_beside_a_server(engine: sa.Engine, url: str) -> None:
    records = Records(engine)
    records.record(entry())
    records.record(entry(actor="mia", role="maintain", reason="needed"))
    where = {"DATABASE_URL": url}
    documents = [
        json.loads(line)
        for line in sockgate("--format", "json", **where).stdout.split("\n")
        if line
    ]
    assert [one["actor"] for one in documents] == ["", "mia"]
    assert documents[0]["grants"][0]["fingerprint"] == "f1"
    rows = list(csv.DictReader(io.StringIO(sockgate("--format", "csv", **where).stdout)))
    assert [(row["actor"], row["subject"]) for row in rows] == [
        ("", "service web"),
        ("mia", "service web"),
    ]
    table = sockgate("--by", "MIA", "--repo", "ACME/shop", "--since", "2026-11-24", **where).stdout
    assert "justified by mia (maintain): needed" in table
    assert len(table.splitlines()) == 2
    assert len(sockgate("--until", "2026-11-23", **where).stdout.splitlines()) == 1
    assert len(sockgate("--pull", "8", **where).stdout.splitlines()) == 1


def test_the_command_says_where_there_is_nothing_to_read(tmp_path: Path) -> None:
    done = sockgate(DATA_DIR=str(tmp_path), DATABASE_URL="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no database" in done.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "sockgate.sqlite").touch()
    assert "No server of this version" in sockgate(DATA_DIR=str(tmp_path), DATABASE_URL="").stderr
    assert "has to be" in sockgate(DATABASE_URL="mysql://x").stderr
