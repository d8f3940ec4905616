"""Keys and indexes without which an empty table is filled faster: dropped before, made again just as they were.

Measured with 1,000,000 set records, whose ids ascend: each index that is kept slows COPY by more than making it again
takes, and looking up foreign keys row by row takes ten times as long as COPY itself. The primary key is cheap to keep,
because rows come in its order; and what other tables refer to stays. PostgreSQL makes an index with as many workers as
max_parallel_maintenance_workers and the size of the table let it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.seeding.load import Loading

MAKING_KILOBYTES = 256 * 1024
"""What the server may use for making one index: enough for ten million rows without a file."""

_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")


@dataclass(frozen=True, slots=True)
class _Aside:
    """An index or a foreign key that is to be made again.

    Args:
        table: Whose.
        name: Its own.
        make: The statements that make it, with what is said about it.
    """

    table: str
    name: str
    make: tuple[sql.Composed, ...]


class Aside:
    """The part of `SeedTransaction` that drops keys and indexes, and makes them again.

    Args:
        connection: In the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._indexes: list[_Aside] = []
        self._keys: list[_Aside] = []

    def set_aside(self, tables: Sequence[str]) -> str | None:
        """See `SeedTransaction.set_aside`. Tables that got rows in the meantime are left as they are."""
        targets = self._rows("targets", tables=_qualified(tables), ours=_qualified(TABLES))
        needed = [table for table in TABLES if table in {*tables, *(name for (name,) in targets)}]
        if missing := self._rows("rights", tables=_qualified(needed)):
            table, role, owns, _ = missing[0]
            return f"the role {role} " + ("may not create in schema public" if owns else f"does not own {table}")
        self._connection.execute(_LOCK.format(sql.SQL(", ").join(map(_public, needed))))
        empty = [table for table in tables if Loading(self._connection).is_empty(table)]
        self._keys += [key for table in empty for key in self._keys_of(table)]
        self._indexes += [index for table in empty for index in self._indexes_of(table)]
        for key in self._keys:
            drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            self._connection.execute(drop.format(_public(key.table), sql.Identifier(key.name)))
        for index in self._indexes:
            self._connection.execute(sql.SQL("DROP INDEX {}").format(_public(index.name)))
        return None

    def put_back(self, table: str, progress: Callable[[str], None]) -> None:
        """See `SeedTransaction.put_back`."""
        self._make([index for index in self._indexes if index.table == table], progress)
        self._indexes = [index for index in self._indexes if index.table != table]

    def put_back_keys(self, progress: Callable[[str], None]) -> None:
        """See `SeedTransaction.put_back_keys`."""
        self._make(self._keys, progress)
        self._keys = []

    def _make(self, things: Sequence[_Aside], progress: Callable[[str], None]) -> None:
        if not things:
            return
        self._rows("memory", kilobytes=MAKING_KILOBYTES)
        # Checks that somebody's own trigger has put off until the commit would not let the table be altered.
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for thing in things:
            progress(thing.name)
            for statement in thing.make:
                self._connection.execute(statement)

    def _keys_of(self, table: str) -> list[_Aside]:
        found = self._rows("foreign_keys", table=f"public.{table}", ours=_qualified(TABLES))
        return [_key(table, *row) for row in found]

    def _indexes_of(self, table: str) -> list[_Aside]:
        return [_index(table, *row) for row in self._rows("indexes", table=f"public.{table}")]

    def _rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(load("seed_aside")[query].encode(), values).fetchall()


def _key(table: str, name: str, definition: str, comment: str | None) -> _Aside:
    make = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
        _public(table), sql.Identifier(name), sql.SQL(definition)
    )
    return _Aside(
        table,
        name,
        (make, *_comment(sql.SQL("CONSTRAINT {} ON {}").format(sql.Identifier(name), _public(table)), comment)),
    )


def _index(table: str, name: str, definition: str, comment: str | None) -> _Aside:
    return _Aside(
        table,
        name,
        (sql.Composed([sql.SQL(definition)]), *_comment(sql.SQL("INDEX {}").format(_public(name)), comment)),
    )


def _comment(thing: sql.Composed, comment: str | None) -> tuple[sql.Composed, ...]:
    return () if comment is None else (sql.SQL("COMMENT ON {} IS {}").format(thing, sql.Literal(comment)),)


def _public(name: str) -> sql.Identifier:
    return sql.Identifier("public", name)


def _qualified(tables: Sequence[str]) -> list[str]:
    return [f"public.{table}" for table in tables]
