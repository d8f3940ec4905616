"""The service under load while its database goes away and comes back."""

import contextlib
import http.client
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.faults.chaos import Trouble, chaos_before
from tests.faults.servers import OwnServer, own_server
from tests.serving import Service, messages, serving

INTERVAL = 3.0
MARGIN = 4.0
"""For a machine that is busy; what the service needs beyond its intervals is milliseconds."""

AWAY_SECONDS = 10.0
CLIENTS = 4
PAUSE = 0.01
PATHS = ("/health/live", "/health", "/health/ready")
POOL = 3


class Load:
    """Clients that ask everything over and over, and what they were told; a lost connection is told as well."""

    def __init__(self, service: Service) -> None:
        self._process = psutil.Process(service.process.pid)
        self._port = service.port
        self._over = threading.Event()
        self.told: Counter[tuple[str, object]] = Counter()
        self.threads = 0
        self.files = 0

    def ask(self) -> None:
        """Ask until it is over."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._over.wait(PAUSE):
            for path in PATHS:
                try:
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    answer.read()
                    self.told[path, answer.status] += 1
                except (OSError, http.client.HTTPException) as error:
                    self.told[path, repr(error)] += 1
                    connection.close()
        connection.close()

    def watch(self) -> None:
        """Count what the service uses until it is over."""
        while not self._over.wait(10 * PAUSE):
            self.threads = max(self.threads, self._process.num_threads())
            self.files = max(self.files, self._process.num_fds())

    def end(self) -> None:
        """Let everybody end."""
        self._over.set()


@contextmanager
def load_on(service: Service) -> Iterator[Load]:
    """A load that is there for the block; each path is asked, and the live one is never anything but 200."""
    load = Load(service)
    process = psutil.Process(service.process.pid)
    threads, files = process.num_threads(), process.num_fds()
    workers = [threading.Thread(target=load.ask) for _ in range(CLIENTS)] + [threading.Thread(target=load.watch)]
    for worker in workers:
        worker.start()
    try:
        yield load
    finally:
        load.end()
        for worker in workers:
            worker.join()
    assert {key: count for key, count in load.told.items() if key[0] == "/health/live"}.keys() == {
        ("/health/live", 200)
    }
    assert {status for _, status in load.told} == {200, 503}
    # The refresher's thread; the clients, the pool's connections, and the look's own, with a second descriptor.
    assert load.threads <= threads + 2
    assert load.files <= files + CLIENTS + POOL + 4


def rides_out(service: Service, go_away: Callable[[], None], come_back: Callable[[], None], away: float) -> None:
    """The service says so while the database is away, and is ready within two intervals when it is back."""
    with load_on(service):
        go_away()
        gone = time.monotonic()
        service.wait_for(lambda: service.ask("/health/ready").status == 503)
        service.wait_for(lambda: service.ask("/health").status == 503)
        service.wait_for(lambda: time.monotonic() - gone >= away)
        assert service.ask("/health/ready").document["failing"] == ["database"]
        come_back()
        back = time.monotonic()
        service.wait_for(lambda: service.ask("/health/ready").status == 200)
        assert time.monotonic() - back < 2 * INTERVAL + MARGIN
        assert service.ask("/health").status == 200
    code, log = service.stop()
    assert code == 0
    told = [message for message in messages(log) if message in ("database does not answer", "database answers again")]
    assert told == ["database does not answer", "database answers again"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as started:
        gateway_for(started.params).apply(lock_wait=5)
        yield started


@contextmanager
def serving_on(params: ConnectionParams) -> Iterator[Service]:
    variables = {"HEALTH_INTERVAL": f"{INTERVAL:g}s", "REQUEST_TIMEOUT": "2s", "DB_POOL_MAX_SIZE": str(POOL)}
    with serving(params, **variables) as service:
        yield service


def test_a_database_that_is_stopped_for_ten_seconds(own: OwnServer) -> None:
    with serving_on(own.params) as service:
        rides_out(service, own.stop_immediately, own.start, AWAY_SECONDS)


def test_a_database_that_hangs(own: OwnServer) -> None:
    postmaster = psutil.Process(int((own.data / "postmaster.pid").read_text().splitlines()[0]))
    stopped: list[int] = []

    def hang() -> None:
        for process in (postmaster, *postmaster.children(recursive=True)):
            os.kill(process.pid, signal.SIGSTOP)
            stopped.append(process.pid)

    def go_on() -> None:
        while stopped:
            os.kill(stopped.pop(), signal.SIGCONT)

    with contextlib.ExitStack() as cleanup:
        cleanup.callback(go_on)
        service = cleanup.enter_context(serving_on(own.params))
        rides_out(service, hang, go_on, AWAY_SECONDS)


def test_a_network_that_swallows_everything(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (chaos, params), serving_on(params) as service:
        rides_out(
            service,
            lambda: setattr(chaos, "trouble", Trouble.BLACKHOLE),
            lambda: setattr(chaos, "trouble", Trouble.NONE),
            0,
        )
        assert chaos.connections < 20


def test_a_database_that_is_slow(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (chaos, params), serving_on(params) as service:
        chaos.delay = 0.1
        for _ in range(20):
            assert service.ask("/health/ready").status == 200
        rides_out(service, lambda: setattr(chaos, "delay", 3.0), lambda: setattr(chaos, "delay", 0.0), 0)
