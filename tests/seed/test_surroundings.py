"""How a seed loads, what it asks, tells and refuses; the database is in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import ConfirmationRequired, DatabaseUnreachable, Refused
from kinetria_cli.domain.seeding import Fingerprint, SeedRecord
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.seeding import load as loading
from kinetria_cli.usecases.seeding import seed as seeding
from kinetria_cli.usecases.seeding.seed import SeedPorts, SeedRequest, seed
from tests.fake_seeding import FakeSeedStore
from tests.fakes import FakeMigrations
from tests.seed.deciding import LATER, World, counts, rows
from tests.seeding import EXERCISES, ToyProfile


def test_keys_and_indexes_of_large_empty_tables_are_made_after_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "ASIDE_FROM", 6)
    world = World()
    world.store.tables["sessions"][b"own"] = b"row"
    result = world.seed()
    assert world.store.calls == [
        "begin", "set_aside", "load users", "load workouts", "put_back workouts", "load exercises", "load sessions",
        "load set_records", "put_back set_records", "load refresh_tokens", "load audit_log", "put_back audit_log",
        "put_back_keys", "analyze",
    ]  # fmt: skip
    assert result.notes == ()


def test_a_role_that_may_not_alter_the_tables_loads_them_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "ASIDE_FROM", 6)
    world = World(FakeSeedStore(aside="the role app does not own set_records"))
    result = world.seed()
    assert result.notes == ("loaded the slow way: the role app does not own set_records",)
    assert not [call for call in world.store.calls if call.startswith("put_back")]
    assert result.inserted == 67


def test_a_small_seed_is_loaded_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.seed()
    assert world.progress.told == []
    monkeypatch.setattr(seeding, "TOLD_FROM", 1)
    monkeypatch.setattr(loading, "ASIDE_FROM", 36)
    told = World()
    told.seed()
    assert told.progress.told[:4] == ["begin users", "1 of 3", "3 of 3", "end users: 3 rows"]
    made = told.progress.told.index("end set_records: 36 rows")
    assert told.progress.told[made + 1 : made + 4] == [
        "begin indexes of set_records",
        "end indexes of set_records: made",
        "begin refresh_tokens",
    ]
    assert told.progress.told[-2:] == ["begin foreign keys", "end foreign keys: made"]


def test_pending_migrations_are_refused_before_anything_is_looked_at() -> None:
    world = World(migrations=FakeMigrations(["0001_a"], ["0002_b"]))
    with pytest.raises(Refused, match="1 pending"):
        world.seed()
    assert world.store.calls == []
    assert world.agreed == []


def test_what_is_not_agreed_to_is_not_done() -> None:
    def refuse(_: str) -> None:
        raise ConfirmationRequired("not confirmed")

    world = World()
    ports = SeedPorts(LocalSource(ToyProfile()), world.store, world.migrations, lambda: None)
    with pytest.raises(ConfirmationRequired):
        seed(SeedRequest(), profile=ToyProfile(), ports=ports, progress=world.progress, agree=refuse)
    assert world.store.calls == []


def test_a_dry_run_asks_nothing_writes_nothing_and_says_what_it_would_take() -> None:
    world = World(free_bytes=1_000_000_000)
    result = world.seed(dry_run=True)
    assert counts(result) == {table: (rows(3)[table], 0, 0, 0) for table in TABLES}
    assert world.store.calls == ["look"]
    assert world.agreed == []
    assert result.estimate is not None
    assert 67 * 100 < result.estimate.bytes < 67 * 2000
    assert result.estimate.free_bytes == 1_000_000_000
    assert result.estimate.rate_from == "100,000 rows a second, as a rule"
    world.seed()
    assert world.seed(dry_run=True).estimate.bytes == 0  # type: ignore[union-attr]


def test_the_rate_is_that_of_the_largest_seed_of_the_database() -> None:
    world = World()
    for seconds, count in ((1.0, 20_000), (4.0, 1_000_000)):
        world.store.seeds.append(
            SeedRecord("other", int(seconds), 9, LATER, "d", {"users": Fingerprint(count, 1)}, seconds)
        )
    result = world.seed(ToyProfile(users=50_000), dry_run=True)
    assert result.estimate is not None
    assert result.estimate.rate_from == "250,000 rows a second, as other was loaded here"
    assert result.estimate.seconds == round((50_000 * 21 + EXERCISES) / 250_000, 1)


def test_a_disk_that_is_too_small_is_refused_before_anything_is_loaded() -> None:
    world = World(free_bytes=10_000)
    with pytest.raises(Refused, match=r"the disk is too small: the rows need about \d+ kB, 10 kB are free"):
        world.seed()
    assert not [call for call in world.store.calls if call.startswith("load")]
    world.seed(dry_run=True)


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), DatabaseUnreachable("the connection is lost", hint="")])
def test_whatever_ends_the_gathering_of_statistics_tells_that_the_rows_are_there(
    monkeypatch: pytest.MonkeyPatch, reason: BaseException
) -> None:
    def interrupted(_: Any) -> None:
        raise reason

    world = World()
    monkeypatch.setattr(world.store, "analyze", interrupted)
    with pytest.raises(type(reason)) as stopped:
        world.seed()
    assert stopped.value.__notes__ == ["all rows are there; only the planner's statistics were not gathered: ANALYZE"]
    assert len(world.store.seeds) == 1


def test_an_interruption_of_the_load_leaves_all_as_it_was() -> None:
    world = World()
    load: Callable[..., None] = world.store.load

    def interrupted(table: str, blocks: Any, progress: Any) -> None:
        if table == "set_records":
            raise KeyboardInterrupt
        load(table, blocks, progress)

    world.store.load = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        world.seed()
    assert world.store.tables == {table: {} for table in TABLES}
    assert world.store.seeds == []
