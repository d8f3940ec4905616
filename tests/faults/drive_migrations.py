"""Run by a test as a process of its own: apply migrations, and kill this process at a named place."""

import os
import signal
import sys
from pathlib import Path

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for


def main(folder: str, place: str) -> None:
    def kill_point(reached: str) -> None:
        if reached == place:
            os.kill(os.getpid(), signal.SIGKILL)

    params = ConnectionParams(
        host=os.environ["DB_HOST"],
        port=int(os.environ["DB_PORT"]),
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        dbname=os.environ["DB_NAME"],
        sslmode=os.environ["DB_SSL_MODE"],
    )
    gateway_for(params, Path(folder), kill_point).apply(lock_wait=5)


if __name__ == "__main__":
    main(*sys.argv[1:])
