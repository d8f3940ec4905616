"""A TLS handshake with a server, without a login."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from kinetria_cli.domain.stack import ConnectionParams

SSL_REQUEST = struct.pack("!II", 8, 80877103)
"""What a client sends before it begins TLS; the answer is one byte, S or N (PostgreSQL 16 manual, section 55.7)."""


@contextlib.contextmanager
def shaken_hands(
    params: ConnectionParams, context: ssl.SSLContext, *, timeout: float
) -> Iterator[ssl.SSLSocket | None]:
    """Shake hands with the first server for the block; None where it offers no TLS.

    Args:
        params: Where to.
        context: What is verified of it, but for the host's name.
        timeout: Seconds for each step.

    Raises:
        ssl.SSLCertVerificationError: The context does not trust the certificate.
        OSError: There was no answer that could be read.
    """
    context.check_hostname = False
    with socket.create_connection((params.host, params.port), timeout) as plain:
        plain.sendall(SSL_REQUEST)
        answer = plain.recv(1)
        if answer == b"N":
            yield None
            return
        if answer != b"S":
            raise ConnectionError("no answer to the request for TLS")
        with context.wrap_socket(plain) as wrapped:
            yield wrapped
