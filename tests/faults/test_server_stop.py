"""A server that is stopped at a bad moment."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from tests.faults.migrating import count
from tests.faults.servers import OwnServer, own_server
from tests.faults.stack import wait_for
from tests.world import connect_to


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as server:
        yield server


def test_a_server_that_begins_to_recover_can_be_stopped_and_keeps_its_rows(own: OwnServer) -> None:
    with connect_to(own.params) as session:
        session.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
        os.kill(session.info.backend_pid, signal.SIGKILL)
        wait_for(lambda: "all server processes terminated; reinitializing" in own.log)
    assert own.engine.stop_database(Deadline(20))
    assert not own.engine.database_running()
    own.start()
    assert count(own.params, "SELECT count(*) FROM kept") == 1000
