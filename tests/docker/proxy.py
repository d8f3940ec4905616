"""A process between `kinetria` and the Docker daemon that dies in the middle: proxy.py SOCKET DAEMON [REQUEST COUNT].

REQUEST is the beginning of a request line without the API's version, like "POST /containers/create"; the proxy ends
when the COUNT-th of them arrives, before it is passed on, and every connection with it.
"""

import os
import re
import socket
import sys
import threading
from pathlib import Path

CHUNK = 65536
VERSION = re.compile(rb"/v\d+\.\d+(?=/)")


class Watch:
    """Counts the requests that decide."""

    def __init__(self, request: str, count: int) -> None:
        self._request = request.encode()
        self._left = count
        self._lock = threading.Lock()

    def look(self, data: bytes) -> None:
        """End the process when it is time. A request line begins a piece: nobody sends two at once."""
        if VERSION.sub(b"", data[:200], count=1).startswith(self._request):
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    os._exit(0)


def pump(source: socket.socket, target: socket.socket, watch: Watch | None) -> None:
    """Pass on what comes until it ends; a half that is closed is closed on the other side too."""
    try:
        while data := source.recv(CHUNK):
            if watch is not None:
                watch.look(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main(path: str, daemon: str, request: str = "", count: str = "1") -> None:
    """Serve until killed."""
    watch = Watch(request, int(count)) if request else None
    draft = f"{path}.draft"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(draft)
        listener.listen(128)
        Path(draft).rename(path)  # who sees the file can connect
        while True:
            caller, _ = listener.accept()
            callee = socket.socket(socket.AF_UNIX)
            callee.connect(daemon)
            threading.Thread(target=pump, args=(caller, callee, watch), daemon=True).start()
            threading.Thread(target=pump, args=(callee, caller, None), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
