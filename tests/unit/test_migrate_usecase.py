"""Which migrations a rollback takes, and what has to be confirmed."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import ConfirmationRequired, MalformedParameters, MigrationConflict
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus, RollbackResult, untold
from kinetria_cli.usecases.migrate import migrate, migration_status
from kinetria_cli.usecases.rollback import RollbackWish, choose_rollback, rollback
from kinetria_cli.usecases.target import Target
from tests.fakes import PARAMS, FakeMigrations, FakePrompt

IDS = ("0001_create_users", "0002_create_workouts", "0003_create_exercises")
OWN = Target(PARAMS, "recorded by kinetria up", own=True)


def status(*ids: str, state: MigrationState = MigrationState.APPLIED) -> MigrationStatus:
    pending = MigrationEntry("0009_later", MigrationState.PENDING)
    return MigrationStatus((*(MigrationEntry(name, state) for name in ids), pending))


def roll_back(
    migrations: FakeMigrations, prompt: FakePrompt | None = None, *, yes: bool = False, dry_run: bool = False
) -> RollbackResult:
    return rollback(
        RollbackWish(steps=2, to=None, use=None, keep=Path("/kept"), yes=yes, confirm=None, lock_wait=7),
        migrations=migrations,
        prompt=prompt or FakePrompt(),
        target=OWN,
        production=False,
        dry_run=dry_run,
        tell=untold,
    )


@pytest.mark.parametrize(
    ("steps", "to", "chosen"),
    [
        (None, None, [2]),
        (1, None, [2]),
        (2, None, [2, 1]),
        (3, None, [2, 1, 0]),
        (None, "0001_create_users", [2, 1]),
        (None, "0001", [2, 1]),
        (None, "0003", []),
    ],
)
def test_the_newest_are_chosen_newest_first(steps: int | None, to: str | None, chosen: list[int]) -> None:
    assert choose_rollback(status(*IDS), steps=steps, to=to) == tuple(IDS[index] for index in chosen)


@pytest.mark.parametrize("steps", [None, 1, 99])
def test_nothing_applied_is_nothing_to_roll_back(steps: int | None) -> None:
    assert choose_rollback(status(), steps=steps, to=None) == ()


@pytest.mark.parametrize("steps", [4, 99])
def test_more_steps_than_applied_migrations_are_refused(steps: int) -> None:
    with pytest.raises(MigrationConflict) as refused:
        choose_rollback(status(*IDS), steps=steps, to=None)
    assert refused.value.exit_code == 5
    assert refused.value.message == f"--steps is {steps}, but only 3 are applied; nothing was rolled back"


def test_an_applied_migration_without_a_file_counts() -> None:
    assert choose_rollback(status(*IDS, state=MigrationState.MISSING), steps=None, to=None) == (IDS[2],)


@pytest.mark.parametrize("steps", [0, -1])
def test_less_than_one_step_is_malformed(steps: int) -> None:
    with pytest.raises(MalformedParameters) as caught:
        choose_rollback(status(*IDS), steps=steps, to=None)
    assert caught.value.message == f"--steps is {steps}"
    assert caught.value.hint == "a number from 1"


def test_steps_and_to_exclude_each_other() -> None:
    with pytest.raises(MalformedParameters) as caught:
        choose_rollback(status(*IDS), steps=1, to="0001")
    assert caught.value.message == "--steps and --to exclude each other"
    assert caught.value.hint == "give one of them"


@pytest.mark.parametrize("to", ["0009_later", "0009", "0004", "users", "000", ""])
def test_what_is_not_applied_cannot_stay_the_newest(to: str) -> None:
    with pytest.raises(MigrationConflict) as caught:
        choose_rollback(status(*IDS), steps=None, to=to)
    assert caught.value.message == f"{to} is not an applied migration"
    assert caught.value.hint == "kinetria migrate status lists them"


def test_a_number_that_two_applied_migrations_have_is_ambiguous() -> None:
    with pytest.raises(MalformedParameters):
        choose_rollback(status("0001_create_users", "0002_a", "0002_b", "0003_c"), steps=None, to="0002")


def test_a_full_id_is_not_ambiguous() -> None:
    found = choose_rollback(status("0001_create_users", "0002_a", "0002_b", "0003_c"), steps=None, to="0002_a")
    assert found == ("0003_c", "0002_b")


def test_a_dry_run_asks_nothing_and_changes_nothing() -> None:
    migrations = FakeMigrations(IDS, ["0004_create_sessions"])
    result = roll_back(migrations, dry_run=True)
    assert (result.rolled_back, result.pending, result.head) == ((), 1, IDS[2])
    assert result.would_roll_back == (IDS[2], IDS[1])
    assert result.would_destroy[0] == "0003_create_exercises would drop create_exercises: 7 rows."
    assert migrations.calls == ["status"]


def test_nothing_applied_asks_nothing() -> None:
    assert roll_back(FakeMigrations()) == RollbackResult((), (), 0, None)


def test_a_rollback_is_asked_for_with_what_and_where() -> None:
    migrations, prompt = FakeMigrations(IDS), FakePrompt("y\n")
    result = roll_back(migrations, prompt)
    assert prompt.questions == [
        "0003_create_exercises would drop create_exercises: 7 rows.\n"
        "0002_create_workouts would drop create_workouts: 7 rows.\n"
        "On kinetria@127.0.0.1:5432/kinetria (recorded by kinetria up). The rows are kept in /kept (about 0.1 MB)."
        "\nGo on? [y/N] "
    ]
    assert migrations.calls == ["status", "rollback 0003_create_exercises 0002_create_workouts, lock wait 7"]
    assert (result.head, result.pending) == (IDS[0], 2)


def test_a_rollback_that_is_not_confirmed_changes_nothing() -> None:
    migrations = FakeMigrations(IDS)
    with pytest.raises(ConfirmationRequired):
        roll_back(migrations)
    assert migrations.calls == ["status"]


def test_migrate_applies_what_is_pending() -> None:
    migrations = FakeMigrations([], IDS)
    result = migrate(
        migrations=migrations,
        lock_wait=3,
        to=None,
        steps=None,
        allow_out_of_order=False,
        statement_timeout=None,
        tell=untold,
    )
    assert [run.id for run in result.applied] == list(IDS)
    assert migration_status(migrations=migrations).head == IDS[2]
    assert migrations.calls == ["apply, lock wait 3", "status"]


def test_a_status_counts_what_is_applied_pending_and_a_problem() -> None:
    found = MigrationStatus(
        (
            MigrationEntry("0001_a", MigrationState.APPLIED),
            MigrationEntry("0002_b", MigrationState.MISSING),
            MigrationEntry("0003_c", MigrationState.PENDING),
        )
    )
    assert found.applied_ids == ("0001_a", "0002_b")
    assert found.as_data() == {
        "migrations": found.migrations,
        "head": "0002_b",
        "pending": 1,
        "problems": 1,
        "warnings": (),
        "missing_objects": (),
    }
