"""Addresses that do not answer, each in its own way."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from kinetria_cli.domain.stack import Server

SHORT = 0.3
"""Seconds after which a connection on this machine will not be made any more."""


@contextmanager
def dropping() -> Iterator[Server]:
    """A port whose queue is full: Linux answers no SYN, as behind a firewall that drops them."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(SHORT)
            try:
                waiting.connect(address)
            except TimeoutError:
                yield Server(*address)
                return
        pytest.skip("this system takes connections beyond the queue")


@contextmanager
def hung() -> Iterator[Server]:
    """A port that takes connections and says nothing, as a server that is stopped by a signal."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Server(*listener.getsockname())


@contextmanager
def refusing() -> Iterator[Server]:
    """A port that nobody listens on, and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield Server(*held.getsockname())
