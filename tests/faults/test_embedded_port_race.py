"""A port that another program takes between the moment it was found free and the moment the server wants it."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.engines.embedded.cluster import Cluster
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.conftest import free_port


@pytest.fixture
def thief(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[int]:
    """Takes the first port that a server wants, just before it."""
    real, stolen, held = Cluster.start, list[int](), ExitStack()
    request.addfinalizer(held.close)

    def start(cluster: Cluster, port: int, deadline: Deadline) -> None:
        if not stolen:
            held.enter_context(socket.create_server(("127.0.0.1", port)))
            stolen.append(port)
        real(cluster, port, deadline)

    monkeypatch.setattr(Cluster, "start", start)
    return stolen


def test_a_port_of_our_choice_that_is_lost_is_replaced_by_the_next(tmp_path: Path, thief: list[int]) -> None:
    engine = EmbeddedEngine(tmp_path, "race", default_http_port=free_port(), probe=HttpClientProbe())
    try:
        started = engine.start_database(port=None, http_port=None, app_wanted=False, deadline=Deadline(60))
        record = engine.record()
        assert record is not None
        assert record.database.port > thief[0]
        assert f"{thief[0]} is taken by" in started.detail
        assert engine.database_running()
    finally:
        engine.stop_database(Deadline(60))


def test_a_port_that_the_user_set_and_that_is_lost_is_an_error(tmp_path: Path, thief: list[int]) -> None:
    engine = EmbeddedEngine(tmp_path, "race", default_http_port=free_port(), probe=HttpClientProbe())
    wanted = free_port()
    with pytest.raises(EngineFailed) as failed:
        engine.start_database(port=wanted, http_port=None, app_wanted=False, deadline=Deadline(60))
    assert thief == [wanted]
    assert any("Address already in use" in line for line in failed.value.details)
    assert not engine.database_running()
