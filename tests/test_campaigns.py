"""A small share of the campaigns: `make kill` and `make storm` run the whole."""

from pathlib import Path

import sqlalchemy as sa

from tests.campaigns import campaigns
from tests.postgres import PostgresServer, postgres, postgres_server
from tests.proxy import Proxy

__all__ = ["postgres", "postgres_server"]


def test_killed_at_random_moments_on_sqlite_all_ends_right(tmp_path: Path) -> None:
    campaigns.kills(tmp_path, "", number=5, pulls=12, seed=1)


def test_killed_at_random_moments_on_postgresql_all_ends_right(
    tmp_path: Path, postgres: str
) -> None:
    campaigns.kills(tmp_path, postgres, number=4, pulls=12, seed=2)


def test_fifty_deliveries_while_nobody_listens_are_made_up_for(tmp_path: Path) -> None:
    assert campaigns.downtime(tmp_path, "", pulls=48, seed=3) >= 50


def test_a_storm_of_faults_passes_and_all_ends_right(tmp_path: Path) -> None:
    campaigns.storm(tmp_path, "", pulls=2, seed=4)


def test_of_three_machines_one_is_killed_and_one_cut_off_and_all_ends_right(
    tmp_path: Path, postgres: str, postgres_server: PostgresServer
) -> None:
    proxy = Proxy(postgres_server.port)
    way_round = postgres_server.url(str(sa.make_url(postgres).database), proxy.port)
    campaigns.three(tmp_path, postgres, way_round, proxy, pulls=15, seed=5)
    proxy.close()


def test_a_server_that_is_stopped_in_its_work_hands_it_over_within_ten_seconds(
    tmp_path: Path, postgres: str
) -> None:
    assert campaigns.stopped(tmp_path, postgres, pulls=6, seed=6) < 10
