"""The service's server, in this process."""

import asyncio
import contextlib
import logging
import signal
import socket

import pytest

from kinetria_cli.domain.errors import PortTaken
from kinetria_cli.domain.service import LONGEST_DRAIN_SECONDS
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.server import GRACE_SECONDS, listen, run
from tests.conftest import free_port
from tests.faults.slow_service import Slow
from tests.world import CHECKOUT


def test_two_that_have_the_port_but_do_not_listen_yet_do_not_both_serve() -> None:
    port = free_port()
    with contextlib.closing(listen("127.0.0.1", port)) as first:
        second = listen("127.0.0.1", port)
        first.listen()
        with pytest.raises(PortTaken, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            run(Slow(CHECKOUT), second, Lifecycle(), log=logging.getLogger("test"))
        assert second.fileno() == -1


def test_an_answer_of_two_parts_does_not_wait_for_an_acknowledgement() -> None:
    async def nagle_is_off() -> bool:
        accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken = writer.get_extra_info("socket")
            accepted.set_result(bool(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            writer.close()

        with contextlib.closing(listen("127.0.0.1", 0)) as listener:
            async with await asyncio.start_server(connected, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
                writer.close()
                return await accepted

    assert asyncio.run(nagle_is_off())


def test_the_signals_are_afterwards_what_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    port = free_port()
    with contextlib.closing(listen("127.0.0.1", port)) as first:
        second = listen("127.0.0.1", port)
        first.listen()
        with pytest.raises(PortTaken):
            run(Slow(CHECKOUT), second, Lifecycle(), log=logging.getLogger("test"))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_the_longest_drain_delay_leaves_time_and_a_container_has_more_than_all_of_it() -> None:
    compose = (CHECKOUT / "compose" / "compose.yaml").read_text("utf-8")
    assert "stop_grace_period: 15s" in compose
    assert LONGEST_DRAIN_SECONDS <= GRACE_SECONDS - 3 < 15 - 3
