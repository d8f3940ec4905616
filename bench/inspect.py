"""What reading the records costs: pages over bare psycopg, streams of a million records over psql's \\copy."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import sql

from bench.measure import Figure, Row, compare, seconds
from bench.stacks import KINETRIA, Stack, database_variables, psql_command, psycopg_arguments, run
from kinetria_cli.domain.fields import ENTITIES, fields_of
from kinetria_cli.domain.records import newest_first
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.cursor import Position, encode
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.usecases.tree import show_record

USERS = 10_000
"""A thousand thousand sets: see gym.sql."""
QUICK = 15
PAGES = 9
SLOW = 5
PAGE = 20
FAR = 10_000
MEMORY = 40.0
TREE = 60.0
MEMBER = "member777@example.com"
EXPORTED = "set-records"

_OBSERVER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
# A process of its own, because a child begins with the peak of the one that starts it.


def inspect(stack: Stack) -> Iterator[Row | Figure]:
    """Pages, streams and what they hold in memory."""
    gym = Gym(stack)
    yield gym.worst_first_page()
    yield gym.far_page()
    yield from gym.streams()
    yield gym.memory()
    yield gym.tree()


class TimedDatabase(PostgresDatabase):
    """A database that adds up how long its statements take."""

    seconds = 0.0

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        database = self

        class TimedCursor(psycopg.Cursor[Any]):
            def execute(self, *arguments: Any, **options: Any) -> Any:
                started = time.perf_counter()
                try:
                    return super().execute(*arguments, **options)
                finally:
                    database.seconds += time.perf_counter() - started

        with super()._lent() as connection:
            connection.cursor_factory = TimedCursor
            yield connection


class Gym:
    """A database with `USERS` members.

    Args:
        stack: Where it is made.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._params: ConnectionParams = stack.new_database()
        self._env = stack.env | database_variables(self._params) | {"PGPASSWORD": self._params.password}
        stack.kinetria("migrate", **database_variables(self._params))
        stack.psql(self._params, "-v", f"users={USERS}", "-f", str(Path(__file__).with_name("gym.sql")))

    def worst_first_page(self) -> Row:
        """The first page of each entity; the row is that with the worst ratio."""
        rows = [
            compare(
                f"kinetria inspect {table.replace('_', '-')} --json / psycopg, same query",
                lambda table=table: self._list(table.replace("_", "-")),  # type: ignore[misc]
                lambda table=table: self._bare_page(table),  # type: ignore[misc]
                bound=1.6,
                runs=PAGES,
            )
            for table in ENTITIES
        ]
        return max(rows, key=lambda row: row.ratio)

    def far_page(self) -> Row:
        """A page deep in the list, by its cursor, over the first."""
        after = self._cursor((FAR - 1) * PAGE)
        return compare(
            f"kinetria inspect {EXPORTED} --after, page {FAR:,} / page 1",
            lambda: self._list(EXPORTED, "--after", after),
            lambda: self._list(EXPORTED),
            bound=1.2,
            runs=QUICK,
        )

    def streams(self) -> Iterator[Row]:
        """Both formats and psql, in turns."""
        copy = psql_command(self._params, "-c", "\\copy (select * from set_records) to stdout csv")
        commands = [copy, *([KINETRIA, "inspect", EXPORTED, "--format", style] for style in ("csv", "ndjson"))]
        times: list[list[float]] = [[], [], []]
        for _ in range(SLOW + 1):
            for found, command in zip(times, commands, strict=True):
                found.append(seconds(lambda command=command: self._discard(command)))  # type: ignore[misc]
        peer, as_csv, as_ndjson = (median(found[1:]) for found in times)
        for style, ours, bound in (("csv", as_csv, 1.5), ("ndjson", as_ndjson, 2.0)):
            row = Row(f"1,000,000 sets: inspect --format {style} / psql \\copy, csv", ours, peer, bound)
            print(row.line(), flush=True)
            yield row

    def memory(self) -> Figure:
        """How much more a million records hold than ten."""
        ten, million = self._peak("--limit", "10"), self._peak()
        figure = Figure("the same, ndjson: peak memory above that of 10 sets", million - ten, MEMORY, "MB")
        print(figure.line(), flush=True)
        return figure

    def tree(self) -> Figure:
        """How long the database works, with the way there and back, on one user and all that hangs on it."""
        database = TimedDatabase(self._params, timeout=5)
        found = []
        with closing(database):
            for _ in range(QUICK):
                database.seconds = 0
                with database.snapshot() as repositories:
                    show_record("users", MEMBER, repositories=repositories, now=datetime.now(UTC))
                found.append(database.seconds * 1000)
        figure = Figure("one user's tree: time in the database", median(found), TREE, "ms")
        print(figure.line(), flush=True)
        return figure

    def _list(self, entity: str, *arguments: str) -> None:
        self._stack.kinetria("inspect", entity, *arguments, "--json", **database_variables(self._params))

    def _bare_page(self, table: str) -> None:
        order = f"{newest_first(table).column} DESC, id DESC"
        query = f"SELECT {', '.join(fields_of(table))} FROM {table} WHERE TRUE ORDER BY {order} LIMIT {PAGE + 1}"
        script = (
            "import json, psycopg; from psycopg.rows import dict_row\n"
            f"with psycopg.connect(**{psycopg_arguments(self._params)!r}, row_factory=dict_row) as connection:\n"
            "    connection.execute(\"SET timezone = 'UTC'\")\n"
            f"    print(json.dumps(connection.execute({query!r}).fetchall(), default=str))\n"
        )
        run(sys.executable, "-c", script, env=self._stack.env, folder=self._stack.folder)

    def _cursor(self, behind: int) -> str:
        """The cursor that follows the first `behind` sets; a person would have come here page by page."""
        order = newest_first("set_records")
        query = sql.SQL("SELECT {0}, id FROM set_records ORDER BY {0} DESC, id DESC OFFSET %s LIMIT 1")
        with psycopg.connect(**psycopg_arguments(self._params)) as connection:
            connection.execute("SET timezone = 'UTC'")
            row = connection.execute(query.format(sql.Identifier(order.column)), (behind - 1,)).fetchone()
        assert row is not None
        return encode("set_records", order, Position(*row))

    def _discard(self, command: list[str]) -> None:
        subprocess.run(
            command,
            env=self._env,
            cwd=self._stack.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def _peak(self, *arguments: str) -> float:
        """The peak of one export, in megabytes."""
        command = [KINETRIA, "inspect", EXPORTED, "--format", "ndjson", *arguments]
        observed = [sys.executable, "-c", _OBSERVER, *command]
        done = subprocess.run(observed, env=self._env, cwd=self._stack.folder, check=True, capture_output=True)
        unit = 1 if sys.platform == "darwin" else 1024
        return int(done.stdout) * unit / 1e6
