"""A real database that is seeded, looked at, changed by hand and cleared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from kinetria_cli.usecases.seeding.remove import SeedRemoval, remove_seed
from kinetria_cli.usecases.seeding.results import SeedResult
from kinetria_cli.usecases.seeding.seed import SeedPorts, SeedRequest, seed
from kinetria_cli.usecases.seeding.verification import SeedVerification
from kinetria_cli.usecases.seeding.verify import verify_seed
from tests.fakes import FakeMigrations, FakeProgress
from tests.seed.test_images import copy_out
from tests.seeding import ToyProfile
from tests.world import connect_to


@dataclass
class World:
    """A database with the store that works on it, and a session of the user's own."""

    store: PostgresSeedStore
    sql: psycopg.Connection[Any]
    asked: list[str] = field(default_factory=list)

    def seed(self, profile: ToyProfile | None = None, **request: bool) -> SeedResult:
        profile = profile or ToyProfile()
        ports = SeedPorts(LocalSource(profile), self.store, FakeMigrations(["0001_a"]), lambda: None)
        return seed(SeedRequest(**request), profile=profile, ports=ports, progress=FakeProgress(), agree=lambda _: None)

    def verify(self, profile: ToyProfile | None = None, users: int | None = None) -> SeedVerification:
        profile = profile or ToyProfile()
        source = LocalSource(profile)
        return verify_seed(profile, users=users, source=source, store=self.store, progress=FakeProgress())

    def remove(
        self, random_seed: int = 1, *, dry_run: bool = False, agree: Callable[[str], None] | None = None
    ) -> SeedRemoval:
        return remove_seed("toy", random_seed, store=self.store, agree=agree or self.asked.append, dry_run=dry_run)

    def contents(self) -> dict[str, bytes]:
        return {table: copy_out(self.sql, table) for table in TABLES}

    def one(self, query: str) -> Any:
        row = self.sql.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def world_on(params: ConnectionParams) -> Iterator[World]:
    store = PostgresSeedStore(params, timeout=5)
    with connect_to(params) as sql:
        yield World(store, sql)
    store.close()


def states(result: SeedVerification) -> dict[str, tuple[int, int, int]]:
    """Table -> missing, changed, unexpected, where there are any."""
    found = {table.name: (table.missing, table.changed, table.unexpected) for table in result.tables}
    return {name: counts for name, counts in found.items() if any(counts)}
