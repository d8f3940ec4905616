"""Destroying in a test what a rollback would destroy, and loading it back with psql."""

import os
import subprocess
from pathlib import Path
from typing import Any

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import Account, find_programs
from kinetria_cli.gateways.migrations.keeping import Copies, keep
from kinetria_cli.gateways.migrations.losses import losses
from kinetria_cli.gateways.migrations.sqltext import statements
from tests.integration.rows import Sql

Rows = list[tuple[Any, ...]]
PSQL = str(find_programs(Account()) / "psql")


def run(sql: Sql, text: str) -> None:
    sql.execute(text.encode())


def begun(sql: Sql, text: str, folder: Path) -> Copies:
    return keep(sql, losses(sql, statements(text)), folder)


def destroy(sql: Sql, text: str, folder: Path) -> list[str]:
    """What a rollback does: keep and run in one transaction. Return the names of the files."""
    with sql.transaction():
        copies = begun(sql, text, folder)
        run(sql, text)
        paths = copies.finish(sql)
    assert all(path.parent == folder for path in paths)
    assert sorted(paths) == (sorted(folder.iterdir()) if paths else [])
    return [path.name for path in paths]


def psql(params: ConnectionParams, folder: Path, *variables: str) -> "subprocess.CompletedProcess[str]":
    options = [word for variable in variables for word in ("-v", variable)]
    return subprocess.run(
        [PSQL, "-X", "-v", "ON_ERROR_STOP=1", *options, "-f", str(folder / "load.sql")],
        env={
            "PATH": os.defpath,
            "PGHOST": params.host,
            "PGPORT": str(params.port),
            "PGUSER": params.user,
            "PGPASSWORD": params.password,
            "PGDATABASE": params.dbname,
        },
        cwd="/",
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def load(params: ConnectionParams, folder: Path, *variables: str) -> str:
    done = psql(params, folder, *variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(params: ConnectionParams, folder: Path, *variables: str) -> "subprocess.CompletedProcess[str]":
    done = psql(params, folder, *variables)
    assert done.returncode == 3
    return done


def content(sql: Sql, *tables: str) -> dict[str, Rows]:
    """Every row as the text that the server writes for it, in an order of its own."""
    found = {}
    for table in tables:
        query = f'SELECT t::text FROM {table} AS t ORDER BY t::text COLLATE "C"'
        found[table] = sql.execute(query.encode()).fetchall()
    return found
