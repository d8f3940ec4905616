"""A database in memory and who works on it, for what a seed decides."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seeding import CATALOGUE
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.seeding.results import SeedResult
from kinetria_cli.usecases.seeding.seed import SeedPorts, SeedRequest, seed
from tests.fake_seeding import FakeSeedStore
from tests.fakes import FakeMigrations, FakeProgress
from tests.seeding import EXERCISES, PER_USER, ToyProfile

LATER = datetime(2026, 12, 1, tzinfo=UTC)
MEMBERS = [table for table in TABLES if table != CATALOGUE]


@dataclass
class World:
    """A database in memory, and who works on it."""

    store: FakeSeedStore = field(default_factory=FakeSeedStore)
    progress: FakeProgress = field(default_factory=FakeProgress)
    migrations: FakeMigrations = field(default_factory=lambda: FakeMigrations(["0001_a"]))
    agreed: list[str] = field(default_factory=list)
    free_bytes: int | None = None

    def seed(self, profile: ToyProfile | None = None, **request: bool) -> SeedResult:
        profile = profile or ToyProfile()
        self.store.calls.clear()
        ports = SeedPorts(LocalSource(profile), self.store, self.migrations, lambda: self.free_bytes)
        return seed(
            SeedRequest(**request), profile=profile, ports=ports, progress=self.progress, agree=self.agreed.append
        )

    def change(self, table: str, number: int = 0) -> bytes:
        """Give a row the contents of another seed's, as if a user had changed it."""
        found = sorted(self.store.tables[table])[number]
        self.store.tables[table][found] = self.store.tables[table][found][:-1] + b"?"
        assert self.store.owned is not None
        self.store.owned.discard(found)
        return found


def counts(result: SeedResult) -> dict[str, tuple[int, int, int, int]]:
    return {table.name: (table.inserted, table.changed, table.unchanged, table.restored) for table in result.tables}


def rows(users: int) -> dict[str, int]:
    return {table: PER_USER[table] * users for table in MEMBERS} | {CATALOGUE: EXERCISES}
