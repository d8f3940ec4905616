"""A server that answers the start-up packet with an error, then lets the real one answer."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


def error_response(sqlstate: str, message: str) -> bytes:
    """An ErrorResponse of the PostgreSQL protocol (manual of version 16, section 55.7)."""
    fields = b"".join(
        kind + text.encode() + b"\0"
        for kind, text in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", sqlstate), (b"M", message))
    )
    return b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0"


class FakePostgres:
    """Refuses the first `times` connections, then passes the bytes of the others to the real server."""

    def __init__(self, answer: bytes, *, times: int, real_port: int) -> None:
        self._answer = answer
        self._times = times
        self._real_port = real_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.refused = 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # the test closed the listener
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._answer_one, args=(client,), daemon=True).start()

    def close(self) -> None:
        # Closing alone does not wake the thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer_one(self, client: socket.socket) -> None:
        with client:
            if self.refused >= self._times:
                self._pass_on(client)
                return
            while len(head := client.recv(8)) == 8:
                (length, code) = struct.unpack("!II", head)
                if code not in (SSL_REQUEST, GSS_REQUEST):
                    client.recv(length - 8)
                    self.refused += 1
                    client.sendall(self._answer)
                    return
                client.sendall(b"N")

    def _pass_on(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._real_port)) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def fake_postgres(answer: bytes, *, times: int, real_port: int = 0) -> Iterator[FakePostgres]:
    fake = FakePostgres(answer, times=times, real_port=real_port)
    thread = threading.Thread(target=fake.serve, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.close()
        thread.join()
