"""What seeding costs: a profile of 1.2 million rows over psql, which has them ready in files and generates nothing."""

import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg

from bench.measure import Row, seconds
from bench.stacks import KINETRIA, Stack, database_variables, psycopg_arguments
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams

USERS = 10_000
TIMES = 4
"""How much larger the larger one is."""
RUNS = 3
OTHER = "43"
"""The random seed of the second seed in the same tables."""
CATALOGUE = "exercises"
"""Rows that every seed shares: the second one finds them."""
SAMPLE_SECONDS = 0.02

_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (%(tables)s::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
# Foreign keys go first and come last.
_KEYS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype IN ('f', 'p', 'u')
    ORDER BY contype <> 'f', conrelid
"""


def seed(stack: Stack) -> Iterator[Row]:
    """The load profile: first, on top of another, again, larger."""
    bench = Seeding(stack)
    yield from bench.empty_tables()
    yield bench.second_seed()
    yield from bench.larger()


class Seeding:
    """Databases of one migrated form, and the rows of two seeds in CSV files.

    Args:
        stack: Where they are made.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._migrated = stack.new_database()
        stack.kinetria("migrate", **database_variables(self._migrated))
        self._first = self._files("first")
        self._second = self._files("second", "--random-seed", OTHER)
        self._by_hand = self._script(self._migrated)

    def empty_tables(self) -> Iterator[Row]:
        """Ours, psql, psql with keys and indexes set aside, and ours again, in turns."""
        ours, again, plain, by_hand = [], [], [], []
        for _ in range(RUNS):
            database = self._stack.new_database(self._migrated.dbname)
            ours.append(seconds(partial(self._seed, database)))
            again.append(seconds(partial(self._seed, database)))
            self._stack.drop(database)
            plain.append(self._timed_psql(self._migrated, "-f", str(self._copies(self._first, TABLES))))
            by_hand.append(self._timed_psql(self._migrated, "-f", str(self._by_hand)))
        name = "kinetria seed --profile load"
        yield _row(f"{name}, 1.2 million rows / psql \\copy", ours, plain, 0.5)
        yield _row(f"{name} / psql, keys and indexes by hand", ours, by_hand, 1.25)
        yield _row(f"{name}, nothing to do / the first time", again, ours, 0.25)

    def second_seed(self) -> Row:
        """Ours and psql on tables that hold another seed."""
        filled = self._stack.new_database(self._migrated.dbname)
        self._seed(filled)
        ours, plain = [], []
        copies = self._copies(self._second, [table for table in TABLES if table != CATALOGUE])
        for _ in range(RUNS):
            database = self._stack.new_database(filled.dbname)
            ours.append(seconds(partial(self._seed, database, "--random-seed", OTHER)))
            self._stack.drop(database)
            plain.append(self._timed_psql(filled, "-f", str(copies)))
        self._stack.drop(filled)
        return _row("kinetria seed on tables with 1.2 million rows / psql \\copy", ours, plain, 1.1)

    def larger(self) -> Iterator[Row]:
        """Time and memory of more users over those of fewer."""
        times: tuple[list[float], list[float]] = ([], [])
        peaks: tuple[list[float], list[float]] = ([], [])
        for _ in range(RUNS):
            for found, peak, users in zip(times, peaks, (USERS, TIMES * USERS), strict=True):
                database = self._stack.new_database(self._migrated.dbname)
                found.append(seconds(partial(self._watched, database, users, peak)))
                self._stack.drop(database)
        yield _row(f"kinetria seed: time for {TIMES * USERS:,} users / {USERS:,}", times[1], times[0], 4.4)
        few, many = (median(found) for found in peaks)
        row = Row(f"kinetria seed: peak memory at {TIMES * USERS:,} users / {USERS:,}", many, few, 1.15, "MB")
        print(row.line(), flush=True)
        yield row

    def _seed(self, database: ConnectionParams, *arguments: str) -> None:
        command = ("seed", "--profile", "load", "--users", str(USERS), *arguments)
        self._stack.kinetria(*command, **database_variables(database))

    def _watched(self, database: ConnectionParams, users: int, peaks: list[float]) -> None:
        """Seed, and note the most that all of its processes held at a time, in megabytes."""
        command = [KINETRIA, "seed", "--profile", "load", "--users", str(users)]
        environment = self._stack.env | database_variables(database)
        with subprocess.Popen(
            command, env=environment, cwd=self._stack.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            over = threading.Event()
            found: list[int] = []
            watch = threading.Thread(target=_watch, args=(psutil.Process(process.pid), over, found))
            watch.start()
            code = process.wait()
            over.set()
            watch.join()
        assert code == 0, "kinetria seed failed"
        peaks.append(max(found) / 1e6)

    def _timed_psql(self, template: ConnectionParams, *arguments: str) -> float:
        database = self._stack.new_database(template.dbname)
        found = seconds(lambda: self._stack.psql(database, *arguments))
        self._stack.drop(database)
        return found

    def _files(self, name: str, *arguments: str) -> Path:
        """The rows of a seed as CSV files, one a table."""
        folder = self._stack.folder / name
        folder.mkdir()
        database = self._stack.new_database(self._migrated.dbname)
        self._seed(database, *arguments)
        for table in TABLES:
            copy = f"\\copy (SELECT * FROM {table} ORDER BY id) TO '{folder / table}.csv' CSV"
            self._stack.psql(database, "-c", copy)
        self._stack.drop(database)
        return folder

    def _copies(self, folder: Path, tables: "list[str] | tuple[str, ...]") -> Path:
        """A script that loads the files."""
        script = folder / "copy.sql"
        script.write_text("".join(f"\\copy {table} FROM '{folder / table}.csv' CSV\n" for table in tables))
        return script

    def _script(self, database: ConnectionParams) -> Path:
        """What somebody who knows PostgreSQL would write: all that slows COPY is dropped, and made again after it."""
        tables: dict[str, Any] = {"tables": list(TABLES)}
        with psycopg.connect(**psycopg_arguments(database)) as connection:
            keys = connection.execute(_KEYS, tables).fetchall()
            indexes = connection.execute(_INDEXES, tables).fetchall()
        drops = [f"ALTER TABLE {table} DROP CONSTRAINT {key};" for table, key, _ in keys]
        drops += [f"DROP INDEX {index};" for index, _ in indexes]
        makes = [f"{definition};" for _, definition in indexes]
        makes += [f"ALTER TABLE {table} ADD CONSTRAINT {key} {text};" for table, key, text in reversed(keys)]
        copies = self._copies(self._first, TABLES).read_text()
        script = self._stack.folder / "by_hand.sql"
        memory = "SET LOCAL maintenance_work_mem = '256MB';"
        script.write_text("\n".join(["BEGIN;", memory, *drops, copies, *makes, "COMMIT;"]))
        return script


def _watch(process: psutil.Process, over: threading.Event, found: list[int]) -> None:
    """Note what a process and its children hold, until told that it is over."""
    while True:
        held = 0
        try:
            for one in (process, *process.children(recursive=True)):
                held += one.memory_info().rss
        except psutil.NoSuchProcess:
            pass  # one of them ended just now: what the others hold is no peak
        found.append(held)
        if over.wait(SAMPLE_SECONDS):
            return


def _row(name: str, ours: list[float], peer: list[float], bound: float) -> Row:
    row = Row(name, median(ours), median(peer), bound)
    print(row.line(), flush=True)
    return row
