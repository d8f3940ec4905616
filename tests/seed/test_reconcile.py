"""How a seed is compared: bucket by bucket, told as it goes, and what makes the rows is stopped when it fails."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import RecordConflict, Refused
from kinetria_cli.domain.seeding import Block, Row
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.seeding.compare import pairs, reconcile
from kinetria_cli.usecases.seeding.results import SeedTable
from tests.fake_seeding import FakeSeedStore
from tests.fakes import FakeProgress
from tests.seeding import ToyProfile

PROFILE = ToyProfile(users=5)
USERS = range(1, 6)


class WatchedSource(LocalSource):
    """Remembers for which buckets all rows were made, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__(PROFILE)
        self.detailed: list[tuple[str, range]] = []
        self.closed = False

    def blocks(self, tables: Sequence[str], users: range, *, data: bool = True) -> Generator[Block, None, None]:
        assert not data
        try:
            yield from super().blocks(tables, users, data=data)
        finally:
            self.closed = True

    def images(self, table: str, users: range) -> dict[bytes, bytes]:
        self.detailed.append((table, users))
        return dict(super().images(table, users))


class Fewer(ToyProfile):
    """Has no sets."""

    def rows(self, table: str, users: range) -> Iterator[Row]:
        return iter(()) if table == "set_records" else super().rows(table, users)


class FullStore(FakeSeedStore):
    """Takes no rows."""

    def load(self, table: str, blocks: Iterable[Block], progress: Callable[[int], None]) -> None:
        raise RecordConflict("taken", hint="none")


def seeded(store: FakeSeedStore) -> FakeSeedStore:
    for table in TABLES:
        FakeSeedStore.load(store, table, LocalSource(PROFILE).blocks([table], USERS), lambda _: None)
    return store


def lose(store: FakeSeedStore, table: str, number: int) -> None:
    del store.tables[table][sorted(store.tables[table])[number]]


def test_only_buckets_that_differ_are_looked_into() -> None:
    store, source, progress = seeded(FakeSeedStore()), WatchedSource(), FakeProgress()
    lose(store, "sessions", 0)
    lose(store, "refresh_tokens", 4)
    tables = reconcile(store, source, PROFILE, USERS, restore=False, dry_run=False, progress=progress)
    assert source.detailed == [("sessions", range(1, 2)), ("refresh_tokens", range(4, 6))]
    assert source.closed
    inserted = {table.name: table.inserted for table in tables if table.inserted}
    assert inserted == {"sessions": 1, "refresh_tokens": 1}
    assert [table.rows for table in tables] == list(PROFILE.counts(USERS).values())
    assert progress.told[:5] == ["begin users", "1 of 5", "3 of 5", "5 of 5", "end users: 5 rows compared"]


def test_what_is_not_asked_for_is_left() -> None:
    store, source = seeded(FakeSeedStore()), WatchedSource()
    lose(store, "users", 0)
    lose(store, "workouts", 0)
    tables = reconcile(
        store, source, PROFILE, USERS, tables=("exercises", "workouts"), restore=False, dry_run=True,
        progress=FakeProgress(),
    )  # fmt: skip
    assert tables == (SeedTable("exercises", 0, 0, 4), SeedTable("workouts", 1, 0, 9))
    assert len(store.tables["workouts"]) == 9


def test_a_bucket_that_is_on_one_side_alone_is_a_pair_too() -> None:
    store = seeded(FakeSeedStore())
    for number in (9, 8, 1, 0):
        lose(store, "workouts", number)
    found = pairs(store, WatchedSource(), PROFILE, range(1, 4), tables=("workouts",), progress=FakeProgress())
    assert [(pair.users, pair.expected.rows, pair.found.rows) for pair in found] == [
        (range(1, 2), 2, 0),
        (range(2, 4), 4, 4),
    ]
    store.tables["workouts"].clear()
    found = pairs(store, WatchedSource(), PROFILE, USERS, tables=("workouts",), progress=FakeProgress())
    assert [pair.found.rows for pair in found] == [0, 0, 0]


def test_rows_that_the_profile_does_not_make_any_more_are_a_pair_too() -> None:
    store, profile = seeded(FakeSeedStore()), Fewer(users=5)
    tables = reconcile(
        store, LocalSource(profile), profile, USERS, restore=False, dry_run=False, progress=FakeProgress()
    )
    assert {table.name: table.changed for table in tables if table.changed} == {"set_records": 60}
    assert len(store.tables["set_records"]) == 60
    with pytest.raises(Refused, match="set_records has rows of this seed that the profile does not make"):
        reconcile(store, LocalSource(profile), profile, USERS, restore=True, dry_run=True, progress=FakeProgress())


def test_what_makes_the_rows_is_stopped_when_loading_fails() -> None:
    store, source = seeded(FullStore()), WatchedSource()
    lose(store, "users", 0)
    with pytest.raises(RecordConflict):
        reconcile(store, source, PROFILE, USERS, restore=False, dry_run=False, progress=FakeProgress())
    assert source.closed
