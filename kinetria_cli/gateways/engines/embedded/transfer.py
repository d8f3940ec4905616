"""Copying a database with pg_dump and pg_restore of the wheel, from any server to any other."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import Account, find_programs
from kinetria_cli.gateways.files import write_private

CLIENTS = Account()
"""pg_dump and pg_restore are content to run as anybody, root included."""


def copy_database(source: ConnectionParams, target: ConnectionParams, *, folder: Path, passfile: str) -> None:
    """Dump one database and restore it into another, empty one.

    Args:
        source, target: How to reach them.
        folder: Takes the dump, which is removed afterwards.
        passfile: Both passwords in libpq's format.

    Raises:
        EngineUnavailable: The wheel is not installed.
        EngineFailed: One of the programs failed; the details are its words.
        FileUnwritable: The disk is full or the folder cannot be written.
    """
    programs = find_programs(CLIENTS)
    passwords, dump = folder / "carry.pgpass", folder / "carry.dump"
    try:
        write_private(passwords, passfile)
        write_private(dump, "")  # so that pg_dump finds a file that nobody else can read
        _run([str(programs / "pg_dump"), *_at(source), "--format=custom", f"--file={dump}"], passwords)
        words = ["--exit-on-error", "--no-owner", "--no-privileges", str(dump)]
        _run([str(programs / "pg_restore"), *_at(target), *words], passwords)
    finally:
        for path in (passwords, dump):
            path.unlink(missing_ok=True)


def _at(params: ConnectionParams) -> list[str]:
    return [
        f"--host={params.host}",
        f"--port={params.port}",
        f"--username={params.user}",
        f"--dbname={params.dbname}",
        "--no-password",
    ]


def _run(command: list[str], passwords: Path) -> None:
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGPASSFILE": str(passwords), "PGSSLMODE": "disable"}
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        _, said = process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait()
        raise
    if process.returncode != 0:
        raise EngineFailed(
            f"{Path(command[0]).name} failed with exit code {process.returncode}",
            hint="the lines above are its own; the old data are untouched",
            details=said.strip().splitlines()[-20:],
        )
