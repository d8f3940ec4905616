"""What was seeded, and which rows are still as a seed wrote them: told by who wrote the row, not by what it says."""

from collections.abc import Mapping, Sequence

from psycopg import sql
from psycopg.types.json import Jsonb

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, SeedRecord
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load

_EPOCH = 1 << 32
"""A row carries the lower half of its writer's number."""
_MEMORY = 1 << 31
"""So many transactions back, a lower half names one transaction alone (PostgreSQL 16 manual, 25.1.5)."""
_WRITTEN = sql.SQL("(SELECT pg_catalog.count(*) FROM {table} WHERE xmin = ANY({writers}::pg_catalog.xid[]))")


class Records:
    """The part of `SeedTransaction` that knows the table kinetria_seed.

    Args:
        connection: In the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def records(self) -> tuple[SeedRecord, ...]:
        """See `SeedTransaction.records`."""
        rows = self._connection.execute(_query("records"))
        return tuple(
            SeedRecord(profile, random_seed, users, as_of, definition, _fingerprints(tables), seconds, _shapes(tables))
            for profile, random_seed, users, as_of, definition, tables, seconds in rows
        )

    def write(self, record: SeedRecord) -> None:
        """See `SeedTransaction.write`."""
        tables = {
            table: {"rows": found.rows, "hash": f"{found.hash:016x}", "shape": record.shapes.get(table)}
            for table, found in record.tables.items()
        }
        values = {
            "profile": record.profile,
            "random_seed": record.random_seed,
            "users": record.users,
            "as_of": record.as_of,
            "definition": record.definition,
            "tables": Jsonb(tables),
            # Transactions of another server say nothing here, and might be mistaken for some of its own.
            "before": self._writers().get((record.profile, record.random_seed), []),
            "seconds": record.seconds,
        }
        self._connection.execute(_query("write"), values)

    def forget(self, profile: str, random_seed: int) -> None:
        """See `SeedTransaction.forget`. The catalogue, which is every seed's, stays known as written by one."""
        writers = self._writers()
        gone = writers.pop((profile, random_seed), [])
        self._connection.execute(_query("forget"), {"profile": profile, "random_seed": random_seed})
        for (other, number), known in writers.items():
            before = list(dict.fromkeys(gone + known))
            self._connection.execute(_query("inherit"), {"profile": other, "random_seed": number, "before": before})

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """See `SeedTransaction.columns`."""
        found: dict[str, dict[str, str]] = {}
        for table, name, kind in self._connection.execute(_query("columns"), {"tables": list(TABLES)}):
            found.setdefault(table, {})[name] = kind
        return found

    def shapes(self) -> Mapping[str, str]:
        """See `SeedTransaction.shapes`."""
        return dict(self._connection.execute(_query("shapes"), {"tables": list(TABLES)}).fetchall())

    def untouched(self, record: SeedRecord, tables: Sequence[str]) -> Mapping[str, int] | None:
        """See `SeedTransaction.untouched`."""
        writers = self._writers()
        own = writers.get((record.profile, record.random_seed))
        if own is None:
            return None
        everyone = [number for known in writers.values() for number in known]
        counts = [
            _WRITTEN.format(
                table=sql.Identifier("public", table),
                writers=sql.Placeholder("everyone" if table == CATALOGUE else "own"),
            )
            for table in tables
        ]
        query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(counts))
        row = self._connection.execute(query, {"own": _halves(own), "everyone": _halves(everyone)}).fetchone()
        return None if row is None else dict(zip(tables, row, strict=True))

    def _writers(self) -> dict[tuple[str, int], list[str]]:
        """Return the numbers of the transactions that wrote each seed, where they are this server's and not too old."""
        return {
            (profile, random_seed): transactions
            for profile, random_seed, transactions, wrote_this, coming in self._connection.execute(
                _query("transactions")
            )
            if transactions
            and int(transactions[-1]) % _EPOCH == wrote_this
            and coming - min(map(int, transactions)) < _MEMORY
        }


def _halves(numbers: Sequence[str]) -> list[str]:
    return [str(int(number) % _EPOCH) for number in numbers]


def _fingerprints(tables: Mapping[str, Mapping[str, object]]) -> dict[str, Fingerprint]:
    return {table: Fingerprint(int(str(found["rows"])), int(str(found["hash"]), 16)) for table, found in tables.items()}


def _shapes(tables: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return the shapes; a record of an older version has none."""
    return {table: str(shape) for table, found in tables.items() if (shape := found.get("shape"))}


def _query(name: str) -> bytes:
    return load("seed")[name].encode()
