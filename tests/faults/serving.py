"""`kinetria serve` as a process of its own, asked for status codes."""

import http.client
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import free_port
from tests.world import database_variables, start_kinetria


@contextmanager
def served(params: ConnectionParams, **variables: str) -> Iterator[Callable[[str], int | None]]:
    """Run the service for the block, which ends well; yields what asks a path: the status code, None for no answer."""
    port = free_port()
    process = start_kinetria("serve", env={**database_variables(params), "HTTP_PORT": str(port), **variables})

    def ask(path: str) -> int | None:
        assert process.poll() is None, process.communicate()
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except OSError:
                return None  # not listening yet

    try:
        yield ask
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, "Traceback" in err) == (0, "", False), err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
