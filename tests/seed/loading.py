"""A seed loaded as the use case loads one, in this process or in one that can be killed; and looks at the catalog."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.seeding import Block, Fingerprint, SeedRecord
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore, PostgresSeedTransaction
from tests.seeding import ToyProfile
from tests.world import connect_to

Place = Callable[[str], None]
"""Told what has just been done."""

CATALOG = """
    SELECT 'index', c.relname, pg_get_indexdef(c.oid), i.indisvalid AND i.indisready AND i.indislive,
           obj_description(c.oid, 'pg_class')
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL
    SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid), convalidated,
           obj_description(oid, 'pg_constraint')
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@contextmanager
def store_of(params: ConnectionParams) -> Iterator[PostgresSeedStore]:
    with closing(PostgresSeedStore(params, timeout=5)) as store:
        yield store


def load(
    store: PostgresSeedStore, profile: ToyProfile, *, aside: bool = True, place: Place = lambda _: None
) -> str | None:
    """Load all rows of a profile, unless its record says that they are there; return why nothing was set aside."""
    with store.transaction() as transaction:
        place("begun")
        if any(record.random_seed == profile.random_seed for record in transaction.records()):
            return None
        reason = load_rows(transaction, profile, aside=aside, place=place)
        place("loaded")
    place("committed")
    return reason


def load_rows(
    transaction: PostgresSeedTransaction, profile: ToyProfile, *, aside: bool, place: Place = lambda _: None
) -> str | None:
    users = range(1, profile.users + 1)
    tables = [table for table in TABLES if transaction.is_empty(table) or table != "exercises"]
    reason = transaction.set_aside(tables) if aside else None
    place("set aside")
    found: dict[str, Fingerprint] = {}
    for table, blocks in groupby(LocalSource(profile).blocks(tables, users), key=lambda block: block.table):
        transaction.load(
            table,
            _counted(blocks, found),
            lambda sent, table=table: place(f"{table} {sent}"),  # type: ignore[misc]
        )
        transaction.put_back(table, place)
    transaction.put_back_keys(place)
    transaction.write(record_of(profile, found))
    return reason


def _counted(blocks: Iterator[Block], found: dict[str, Fingerprint]) -> Iterator[Block]:
    for block in blocks:
        found[block.table] = found.get(block.table, Fingerprint()) + block.fingerprint
        yield block


def record_of(profile: ToyProfile, tables: dict[str, Fingerprint]) -> SeedRecord:
    return SeedRecord(
        profile.name, profile.random_seed, profile.users, profile.as_of, profile.definition, tables, seconds=0.5
    )


def start_loading(params: ConnectionParams, profile: ToyProfile) -> BaseProcess:
    """Start a process that loads; its exit code is that of the command line."""
    process = _processes.Process(target=_drive, args=(params, profile))
    process.start()
    return process


def _drive(params: ConnectionParams, profile: ToyProfile) -> None:
    try:
        with store_of(params) as store:
            load(store, profile)
    except KeyboardInterrupt:
        sys.exit(130)
    except KinetriaError as error:
        print(error.message, error.details, file=sys.stderr)
        sys.exit(error.exit_code)


def catalog(sql: psycopg.Connection[Any]) -> list[Any]:
    """Every index and constraint, its definition, whether it is valid, and what is said about it."""
    return sql.execute(CATALOG).fetchall()


def counts(params: ConnectionParams) -> dict[str, int]:
    with connect_to(params) as sql:
        found = {table: sql.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES}
    return {table: row[0] for table, row in found.items() if row}


EMPTY = dict.fromkeys(TABLES, 0)


def expected(profile: ToyProfile) -> dict[str, int]:
    return dict(profile.counts(range(1, profile.users + 1)))
