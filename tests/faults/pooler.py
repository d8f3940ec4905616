"""A real pgbouncer before a server, in the mode that a test asks for."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import choose_account
from tests.conftest import free_port
from tests.faults.servers import answers
from tests.faults.stack import wait_for

PORTS_TRIED = 5


def pgbouncer_program() -> str:
    """Where pgbouncer is; skips the test where there is none."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("there is no pgbouncer program: PATH=$PATH:$(.ci/pooler)")
    return found


@contextmanager
def pooler_before(server: ConnectionParams, place: Path, *, mode: str, size: int = 3) -> Iterator[ConnectionParams]:
    """Run a pgbouncer with `size` sessions a database; every database of the server can be reached through it."""
    place.mkdir()
    program = pgbouncer_program()
    for _ in range(PORTS_TRIED):
        params = replace(server, host="127.0.0.1", port=free_port())
        process = _start(program, server, params.port, place, mode, size)
        try:
            wait_for(lambda: process.poll() is not None or answers(params))  # noqa: B023 - called at once
            if process.poll() is None:
                yield params
                return
        finally:
            process.terminate()
            process.wait()
    raise AssertionError((place / "log").read_text())


def _start(
    program: str, server: ConnectionParams, port: int, place: Path, mode: str, size: int
) -> "subprocess.Popen[bytes]":
    # It refuses to run as root, as PostgreSQL does.
    account = choose_account("pooler")
    users, settings = place / "users", place / "pgbouncer.ini"
    users.write_text(f'"{server.user}" "{server.password}"\n')
    settings.write_text(
        f"""
[databases]
* = host={server.host} port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
"""
    )
    for path in (place, users, settings):
        account.give(path)
    with (place / "log").open("ab") as log:
        return account.spawn([program, str(settings)], log=log, folder=place)
