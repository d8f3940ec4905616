"""What a seed does: nothing, the rest, a comparison, or all of it; the database is in memory."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, Row
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.profiles import definition
from kinetria_cli.usecases.profiles.definition import code_version
from kinetria_cli.usecases.seeding import plan
from tests.seed.deciding import LATER, MEMBERS, World, counts, rows
from tests.seeding import EXERCISES, PER_USER, ToyProfile
from tests.world import CHECKOUT

PACKAGE = CHECKOUT / "kinetria_cli"


def test_what_is_not_there_is_loaded_and_recorded() -> None:
    world = World()
    result = world.seed()
    assert counts(result) == {table: (rows(3)[table], 0, 0, 0) for table in TABLES}
    assert world.store.calls == ["begin", *(f"load {table}" for table in TABLES), "analyze"]
    (record,) = world.store.seeds
    blocks = list(LocalSource(ToyProfile()).blocks(TABLES, range(1, 4), data=False))
    assert (record.profile, record.random_seed, record.users) == ("toy", 1, 3)
    assert (record.as_of, record.definition) == (ToyProfile.as_of, "toy 1")
    assert record.tables == {
        table: sum((block.fingerprint for block in blocks if block.table == table), Fingerprint()) for table in TABLES
    }
    assert (result.rows, result.inserted, result.users, result.as_of) == (67, 67, 3, ToyProfile.as_of)
    assert world.agreed == ["67 rows of profile toy, random seed 1, will be inserted where they are missing."]


def test_what_is_there_as_it_was_loaded_is_left() -> None:
    world = World()
    world.seed()
    before = world.store.seeds[0]
    result = world.seed()
    assert counts(result) == {table: (0, 0, rows(3)[table], 0) for table in TABLES}
    assert world.store.calls == ["begin"]
    assert world.store.seeds == [before]


def test_more_users_are_added_to_those_that_are_there() -> None:
    world = World()
    world.seed()
    result = world.seed(ToyProfile(users=5))
    assert counts(result) == {
        table: (0, 0, EXERCISES, 0) if table == CATALOGUE else (PER_USER[table] * 2, 0, PER_USER[table] * 3, 0)
        for table in TABLES
    }
    fresh = World()
    fresh.seed(ToyProfile(users=5))
    assert world.store.tables == fresh.store.tables
    assert replace(world.store.seeds[0], seconds=0) == replace(fresh.store.seeds[0], seconds=0)
    assert counts(world.seed(ToyProfile(users=5)))["users"] == (0, 0, 5, 0)


def test_fewer_users_are_there_already() -> None:
    world = World()
    world.seed(ToyProfile(users=5))
    before = world.store.seeds[0]
    result = world.seed(ToyProfile(users=2))
    assert counts(result) == {table: (0, 0, rows(2)[table], 0) for table in TABLES}
    assert world.store.seeds == [before]


@pytest.mark.parametrize("table", MEMBERS)
def test_a_row_that_was_changed_is_told_left_and_restored(table: str) -> None:
    world = World()
    world.seed()
    original = dict(world.store.tables[table])
    changed = world.change(table)
    result = world.seed()
    assert counts(result)[table] == (0, 1, rows(3)[table] - 1, 0)
    assert result.changed == 1
    assert world.store.tables[table][changed] != original[changed]
    assert counts(world.seed(restore=True, dry_run=True))[table] == (0, 0, rows(3)[table] - 1, 1)
    assert world.store.tables[table][changed] != original[changed]
    assert counts(world.seed(restore=True))[table] == (0, 0, rows(3)[table] - 1, 1)
    assert world.store.tables[table] == original
    assert world.seed().changed == 0
    assert world.store.calls == ["begin"]


def test_a_row_that_was_deleted_is_inserted_again() -> None:
    world = World()
    world.seed()
    original = dict(world.store.tables["set_records"])
    gone = sorted(original)[7]
    del world.store.tables["set_records"][gone]
    result = world.seed()
    assert counts(result)["set_records"] == (1, 0, len(original) - 1, 0)
    assert world.store.tables["set_records"] == original
    assert world.store.calls == ["begin", "load set_records"]


def test_rows_of_a_database_that_was_dumped_and_restored_are_compared_not_loaded() -> None:
    world = World()
    world.seed()
    world.store.owned = None
    result = world.seed()
    assert (result.inserted, result.changed, result.rows) == (0, 0, 67)
    assert world.store.calls == ["begin"]


def test_rows_whose_record_is_gone_are_compared_and_recorded_again() -> None:
    world = World()
    world.seed()
    before = world.store.seeds.pop()
    result = world.seed()
    assert (result.inserted, result.rows) == (0, 67)
    assert replace(world.store.seeds[0], seconds=0) == replace(before, seconds=0)


def test_users_beyond_the_record_whose_rows_are_there_are_compared() -> None:
    world = World()
    world.seed(ToyProfile(users=5))
    whole = world.store.seeds.pop()
    before = World()
    before.seed()
    world.store.seeds.append(before.store.seeds[0])
    result = world.seed(ToyProfile(users=5))
    assert (result.inserted, result.rows) == (0, 5 * 21 + EXERCISES)
    assert (world.store.seeds[0].users, world.store.seeds[0].tables) == (5, whole.tables)


def test_the_catalogue_is_shared_by_all_seeds() -> None:
    world = World()
    world.seed()
    result = world.seed(ToyProfile(random_seed=2))
    assert counts(result)[CATALOGUE] == (0, 0, EXERCISES, 0)
    assert [record.random_seed for record in world.store.seeds] == [1, 2]
    assert len({record.tables[CATALOGUE] for record in world.store.seeds}) == 1
    world.change(CATALOGUE)
    assert counts(world.seed())[CATALOGUE] == (0, 1, EXERCISES - 1, 0)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (ToyProfile(as_of=LATER), "as of 2026-11-16T18:30:00+00:00, not as of 2026-12-01T00:00:00+00:00"),
        (ToyProfile(definition="toy 2"), "from another definition of the profile (toy 1, now toy 2)"),
    ],
    ids=["as of", "definition"],
)
def test_what_was_loaded_otherwise_is_refused_and_can_be_set_to_the_new(other: ToyProfile, told: str) -> None:
    world = World()
    world.seed()
    before = dict(world.store.tables)
    with pytest.raises(Refused) as refused:
        world.seed(other)
    assert refused.value.message == f"toy, random seed 1, was seeded here {told}"
    assert refused.value.hint is not None
    assert "--restore" in refused.value.hint
    assert world.store.tables == before
    world.seed(other, restore=True)
    fresh = World()
    fresh.seed(other)
    assert world.store.tables == fresh.store.tables
    assert replace(world.store.seeds[0], seconds=0) == replace(fresh.store.seeds[0], seconds=0)


def test_setting_to_another_time_counts_for_all_users_that_are_there() -> None:
    world = World()
    world.seed(ToyProfile(users=5))
    world.seed(ToyProfile(users=2, as_of=LATER), restore=True)
    fresh = World()
    fresh.seed(ToyProfile(users=5, as_of=LATER))
    assert world.store.tables == fresh.store.tables
    assert world.store.seeds[0].users == 5


def test_rows_of_other_code_are_compared_until_they_are_known_to_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where who changed a generator forgot the version in `definition_of`."""
    world = World()
    world.seed()
    monkeypatch.setattr(plan, "code_version", lambda: "other-code")

    class Other(ToyProfile):
        def _workouts(self, user: int, number: int) -> Row:
            record_id, owner, _, *rest = super()._workouts(user, number)
            return (record_id, owner, "another name", *rest)

    assert counts(world.seed(Other()))["workouts"] == (0, 6, 0, 0)
    assert counts(world.seed(Other()))["workouts"] == (0, 6, 0, 0)
    assert counts(world.seed(Other(), restore=True))["workouts"] == (0, 0, 0, 6)
    assert world.seed(Other()).changed == 0
    assert {shape.split()[-1] for shape in world.store.seeds[0].shapes.values()} == {"other-code"}


def test_the_version_of_the_code_is_that_of_its_files() -> None:
    code_version.cache_clear()
    before = code_version()
    assert before == code_version.__wrapped__()
    assert len(before) == 16


@pytest.mark.parametrize("name", ["usecases/profiles/efforts.py", "data/exercises.toml", "domain/seed_ids.py"])
def test_another_byte_of_a_generator_is_another_version(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in definition._MAKERS:
        shutil.copytree(PACKAGE / folder, tmp_path / folder, dirs_exist_ok=True)
    monkeypatch.setattr(definition, "files", lambda _: tmp_path)
    version = code_version.__wrapped__
    before = version()
    with (tmp_path / name).open("a") as file:
        file.write("# other\n")
    assert version() != before
