"""Copying a database, or loading a dump, with pg_dump, pg_restore and psql of the wheel, to any server."""

import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path

from kinetria_cli.domain.errors import EngineFailed, MigrationFileInvalid
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import SERVER_MAJOR, Account, find_programs
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


COPY_HINT = "the lines above are its own; the old data are untouched"
LOAD_HINT = f"the lines above are its own; make the dump of the whole database with pg_dump {SERVER_MAJOR} or older"

_GRANTEE = re.compile(rb"^(?:ALTER .* OWNER|GRANT .*) TO (\w+|\"[^\"]+\")(?: WITH GRANT OPTION)?;\s*$", re.MULTILINE)
"""A line of a plain dump that names a role, in pg_dump's own form."""


def load_dump(dump: Path, target: ConnectionParams, *, folder: Path, passfile: str) -> None:
    """Load a dump of any format into an empty database; owners and privileges need not exist there.

    Args:
        dump: What pg_dump wrote: plain SQL, or its custom, tar or directory format.
        target: Where to.
        folder: Takes a file with the password, which is removed afterwards.
        passfile: The target's password in libpq's format.

    Raises:
        MigrationFileInvalid: The dump cannot be read.
        EngineUnavailable: The wheel is not installed.
        EngineFailed: The program failed; the details are its words.
    """
    programs = find_programs(CLIENTS)
    passwords = folder / "load.pgpass"
    try:
        write_private(passwords, passfile)
        if _is_plain(dump):
            roles = [f"--command={_make_role(name)}" for name in _roles(dump)]
            words = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *roles, f"--file={dump}"]
            _run([str(programs / "psql"), *_at(target), *words], passwords, hint=LOAD_HINT)
        else:
            words = ["--exit-on-error", "--no-owner", "--no-privileges", str(dump)]
            _run([str(programs / "pg_restore"), *_at(target), *words], passwords, hint=LOAD_HINT)
    finally:
        passwords.unlink(missing_ok=True)


def _is_plain(dump: Path) -> bool:
    try:
        if dump.is_dir():
            return False
        with dump.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise MigrationFileInvalid(f"{dump} cannot be read: {error.strerror}", hint=f"ls -l {dump}") from error
    # The custom format's own mark, and tar's.
    return not head.startswith(b"PGDMP") and head[257:262] != b"ustar"


def _roles(dump: Path) -> list[str]:
    """The roles that a plain dump gives something to, as it writes them."""
    with dump.open("rb") as stream:
        found = {match[1].decode("utf-8", "replace") for line in stream for match in [_GRANTEE.match(line)] if match}
    return sorted(found - {"PUBLIC"})


def _make_role(name: str) -> str:
    return f"DO $$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"


def _at(params: ConnectionParams) -> list[str]:
    return [
        f"--host={params.host}",
        f"--port={params.port}",
        f"--username={params.user}",
        f"--dbname={params.dbname}",
        "--no-password",
    ]


def _run(command: list[str], passwords: Path, *, hint: str = COPY_HINT) -> None:
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
            hint=hint,
            details=said.strip().splitlines()[-20:],
        )
