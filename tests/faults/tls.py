"""TLS before a server that has none: it ends TLS with a certificate of the test's, and passes the rest on."""

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import trustme

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.fakepg import GSS_REQUEST, SSL_REQUEST


class TlsFront:
    """Takes connections with TLS and without until it is closed."""

    def __init__(self, context: ssl.SSLContext, real: ConnectionParams) -> None:
        self._context = context
        self._real = (real.host, real.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the test closed the listener
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve_one(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self._real) as server:
            while len(head := client.recv(8)) == 8 and struct.unpack("!II", head)[1] == GSS_REQUEST:
                client.sendall(b"N")
            if len(head) == 8 and struct.unpack("!II", head)[1] == SSL_REQUEST:
                client.sendall(b"S")
                with self._context.wrap_socket(client, server_side=True) as wrapped:
                    _pass_on(wrapped, server)
            else:
                server.sendall(head)
                _pass_on(client, server)


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    """Pass on both ways in one thread: a TLS connection does not bear two."""
    while True:
        # What TLS has read ahead no longer makes its socket readable.
        if isinstance(client, ssl.SSLSocket) and client.pending():
            ready: list[socket.socket] = [client]
        else:
            ready, _, _ = select.select([client, server], [], [])
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (server if source is client else client).sendall(data)


def certificate(authority: trustme.CA, *hosts: str, until: datetime) -> ssl.SSLContext:
    """Return a server's context with a certificate of that authority, for these hosts until then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*hosts, not_after=until).configure_cert(context)
    return context


@contextlib.contextmanager
def tls_before(real: ConnectionParams, context: ssl.SSLContext) -> Iterator[ConnectionParams]:
    """TLS before a server, with this certificate."""
    front = TlsFront(context, real)
    thread = threading.Thread(target=front.serve, daemon=True)
    thread.start()
    try:
        yield replace(real, host="127.0.0.1", port=front.port, sslmode="require")
    finally:
        front.close()
        thread.join()
