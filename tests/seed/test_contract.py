"""What of a real schema the generators do not fill."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import GenerationFailed, SchemaMissing
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.domain.vos import VOCABULARIES
from kinetria_cli.gateways.postgres.seeding.images import images
from kinetria_cli.usecases.profiles import find_profile
from kinetria_cli.usecases.profiles.rows import FILLED
from kinetria_cli.usecases.seeding.contract import check_contract, contract, produced
from tests.integration.checking import inspector
from tests.seed.checking import World, world_on
from tests.world import Cli


def test_the_migrated_schema_is_filled(migrated: ConnectionParams) -> None:
    found = check_contract(inspector(migrated))
    assert found.ok
    assert found.findings == ()


def test_the_profiles_use_every_word() -> None:
    assert produced() == {name: frozenset(word.value for word in words) for name, words in VOCABULARIES.items()}


@pytest.mark.parametrize(
    ("statement", "place", "told"),
    [
        ("ALTER TABLE users ADD phone text NOT NULL", "column public.users.phone", "may not be null, has no default"),
        ("ALTER TYPE audit_action ADD VALUE 'password_reset'", "type public.audit_action", "'password_reset'"),
        ("ALTER TABLE sessions DROP notes", "column public.sessions.notes", "is not there"),
        (
            "ALTER TABLE set_records ALTER reps TYPE bigint",
            "column public.set_records.reps",
            "is bigint, and every seed has integer for it",
        ),
        ("DROP TABLE refresh_tokens", "table public.refresh_tokens", "is not there"),
    ],
)
def test_what_no_generator_fills_is_found(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], statement: str, place: str, told: str
) -> None:
    sql.execute(statement.encode())
    (finding,) = check_contract(inspector(migrated)).findings
    assert finding.object == place
    assert told in finding.message


@pytest.mark.parametrize("rest", ["text", "text NOT NULL DEFAULT ''", "integer GENERATED ALWAYS AS IDENTITY"])
def test_a_column_that_fills_itself_is_none_of_it(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], rest: str
) -> None:
    sql.execute(f"ALTER TABLE users ADD phone {rest}".encode())
    assert check_contract(inspector(migrated)).ok


def test_an_empty_schema_lacks_every_table() -> None:
    assert len(contract({}, {}).findings) == 7


@pytest.fixture
def world(migrated: ConnectionParams) -> Iterator[World]:
    with world_on(migrated) as opened:
        yield opened


RUNS: dict[str, Callable[[World], Any]] = {
    "seed": lambda world: world.seed(),
    "restore": lambda world: world.seed(restore=True),
    "verify": lambda world: world.verify(),
    "dry run": lambda world: world.seed(dry_run=True),
}
# What is done to the schema, the column, and what is said of it.
ALTERED = [
    ("ALTER TABLE set_records ALTER reps TYPE bigint", "set_records.reps", "is bigint, and every seed has integer"),
    ("ALTER TABLE set_records ALTER weight_kg TYPE float8", "set_records.weight_kg", "is double precision, and every"),
    ("ALTER TABLE workouts ALTER status DROP DEFAULT, ALTER status TYPE text", "workouts.status",
     "is text, and every seed has public.workout_status"),
    ("ALTER TABLE users ALTER created_at TYPE timestamp", "users.created_at", "is timestamp without time zone, and"),
    ("ALTER TABLE sessions ALTER notes TYPE text[] USING ARRAY[notes]", "sessions.notes", r"is text\[\], and"),
    ("ALTER TABLE sessions RENAME notes TO remarks", "sessions.notes", "is not there, and every seed has a value"),
]  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("ddl", "column", "words"), ALTERED, ids=[row[1] for row in ALTERED])
def test_a_column_that_was_altered_is_named_by_every_run(
    world: World, run: str, ddl: str, column: str, words: str
) -> None:
    world.seed()
    world.sql.execute(ddl.encode())
    with pytest.raises(SchemaMissing, match=f"^column public.{column} {words}") as caught:
        RUNS[run](world)
    assert (caught.value.exit_code, caught.value.details) == (1, ())
    assert "kinetria db check" in (caught.value.hint or "")


def test_all_columns_that_were_altered_are_named_at_once(world: World) -> None:
    world.sql.execute("ALTER TABLE users DROP name; ALTER TABLE sessions ALTER notes TYPE varchar(9)")
    world.sql.execute("ALTER TABLE workouts ALTER name TYPE varchar(300); DROP TABLE audit_log")
    with pytest.raises(SchemaMissing, match=r"column public\.users\.name is not there") as caught:
        world.seed()
    assert caught.value.details == ("table public.audit_log is not there, and every seed has rows for it",)


@pytest.mark.parametrize(
    ("ddl", "words"),
    [
        ("ALTER TABLE workouts ADD coach text NOT NULL", "workouts.coach may not be null, has no default, and no seed"),
        ("ALTER TABLE sessions ALTER notes SET NOT NULL", "sessions.notes may not be null, and the seed has rows"),
    ],
)
def test_a_column_that_refuses_every_row_is_named_and_nothing_is_changed(world: World, ddl: str, words: str) -> None:
    world.sql.execute(ddl.encode())
    with pytest.raises(SchemaMissing, match=f"^column public.{words}") as caught:
        world.seed()
    assert caught.value.exit_code == 1
    assert "kinetria seed --check" in (caught.value.hint or "")
    assert world.one("SELECT count(*) FROM users") == 0


@pytest.fixture
def without_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an entity had got a field that no generator makes."""
    monkeypatch.setitem(FILLED, "set_records", tuple(name for name in FILLED["set_records"] if name != "notes"))
    monkeypatch.setitem(FILLED, "users", tuple(name for name in FILLED["users"] if name != "name"))


@pytest.mark.usefixtures("without_generator")
@pytest.mark.parametrize("options", [(), ("--verify",), ("--restore",), ("--remove", "--yes"), ("--profile", "load")])
def test_a_field_without_a_generator_is_named_and_nothing_is_tried(
    cli: Cli, migrated: ConnectionParams, options: tuple[str, ...]
) -> None:
    answer = cli.use(migrated)("seed", "--json", *options)
    assert answer.code == 1
    assert answer.error["code"] == "seed.generation_failed"
    assert answer.error["message"] == "User has the field name, and no profile makes a value for users.name"
    assert answer.error["details"] == ["also set_records.notes"]
    assert "kinetria seed --check" in answer.error["hint"]


@pytest.mark.usefixtures("without_generator")
def test_check_lists_every_field_without_a_generator(cli: Cli, migrated: ConnectionParams) -> None:
    answer = cli.use(migrated)("seed", "--check", "--json")
    assert answer.code == 1
    assert [finding["object"] for finding in answer.data["findings"]] == [
        "column public.users.name",
        "column public.set_records.notes",
    ]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("profile", ["demo", "load"])
def test_the_generators_fill_what_they_are_said_to(profile: str, table: str) -> None:
    assert FILLED[table] == tuple(fields_of(table))
    users = 20 if profile == "load" else None
    rows = list(find_profile(profile, random_seed=42, users=users).rows(table, range(1, 21)))
    assert {len(row) for row in rows} == {len(FILLED[table])}


def test_rows_of_another_length_are_refused_before_the_server_sees_them() -> None:
    with pytest.raises(GenerationFailed, match="make 8 values for a row of set_records, and its entity has 9 fields"):
        list(images("set_records", [(1,) * 8]))
    assert list(images("users", [])) == []
