"""`migrate repair` and `migrate baseline` whose connection is lost, falls silent or is interrupted at a COMMIT."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.bootstrap_migrations import MigrationTools
from kinetria_cli.domain.errors import DatabaseUnreachable, Terminated
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.migrations.access import Access
from kinetria_cli.gateways.postgres.seeding import outcome
from tests.faults.chaos import Chaos, Trouble, chaos_before
from tests.faults.migrating import assert_recorded_once, count, gateway, marks, states, write_folder
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to

IDS = ("0001_first", "0002_index", "0003_new_name")
STEPS = (*IDS[:2], "0003_third", "yoyo_lock")
"""What a repair of `broken` does, in this order: a changed comment, an interrupted run, a new name, yoyo's lock."""

HELD = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "three",
        m0001_first="CREATE TABLE first (id int);\n",
        m0002_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n",
        m0003_third="ALTER TABLE first ADD COLUMN note text;\n",
    )


@pytest.fixture
def broken(empty: ConnectionParams, folder: Path) -> ConnectionParams:
    gateway(empty, folder).apply(lock_wait=30)
    first = folder / "0001_first.sql"
    first.write_text(f"-- another comment\n{first.read_text('utf-8')}", "utf-8")
    (folder / "0003_third.sql").rename(folder / f"{IDS[2]}.sql")
    with connect_to(empty) as sql:
        sql.execute("UPDATE _kinetria_migration SET state = 'applying' WHERE migration_id = '0002_index'")
        sql.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0002_index'")
        sql.execute("CREATE TABLE yoyo_lock (locked int PRIMARY KEY, ctime timestamp, pid int NOT NULL)")
        sql.execute("INSERT INTO yoyo_lock VALUES (1, now(), 1)")
    return empty


@pytest.fixture
def unrecorded(empty: ConnectionParams, folder: Path) -> ConnectionParams:
    """What the migrations make, without a record."""
    (folder / "0003_third.sql").rename(folder / f"{IDS[2]}.sql")
    gateway(empty, folder).apply(lock_wait=30)
    with connect_to(empty) as sql:
        sql.execute("DROP TABLE _yoyo_migration, _yoyo_log, _yoyo_version, _kinetria_migration")
    return empty


def at_commit(number: int, act: Callable[[], None]) -> Callable[[str], None]:
    seen = 0

    def kill_point(place: str) -> None:
        nonlocal seen
        seen += place == "before_commit"
        if place == "before_commit" and seen == number:
            act()

    return kill_point


def repair(params: ConnectionParams, folder: Path, told: list[str], **options: Any) -> tuple[str, ...]:
    decide = options.pop("decide", None)
    result = gateway(params, folder, **options).repair(
        decide=decide, dry_run=False, agreed=lambda _: None, tell=told.append
    )
    assert result.repaired is bool(result.steps)
    return tuple(step.id for step in result.steps)


def is_repaired(params: ConnectionParams, folder: Path) -> bool:
    assert repair(params, folder, []) == ()
    assert_recorded_once(params, folder, *IDS)
    return count(params, "SELECT count(*) FROM yoyo_lock") == 0


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_repair_whose_answer_is_lost_counts_and_the_rest_follows(
    broken: ConnectionParams, folder: Path, number: int
) -> None:
    told: list[str] = []
    with chaos_before(broken) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_ANSWER))
        assert repair(params, folder, told, kill_point=kill_point) == STEPS
        assert chaos.losses == 1
    what = STEPS[number - 1]
    assert told == [f"the connection was lost while the repair of {what} was committed; it is committed"]
    assert is_repaired(broken, folder)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_repair_that_never_arrives_does_not_count(broken: ConnectionParams, folder: Path, number: int) -> None:
    told: list[str] = []
    with chaos_before(broken) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_REQUEST))
        with pytest.raises(DatabaseUnreachable, match="was lost") as lost:
            repair(params, folder, told, kill_point=kill_point)
        assert chaos.losses == 1
    assert (lost.value.exit_code, lost.value.hint) == (4, "run this again; nothing uncommitted was kept")
    assert told == []
    with connect_to(broken) as sql:  # the server may need a moment to see that its client is gone
        wait_for(lambda: sql.execute(HELD).fetchone() == (0,))
    assert repair(broken, folder, []) == STEPS[number - 1 :]
    assert is_repaired(broken, folder)


def test_what_is_forgotten_by_a_repair_whose_answer_is_lost_is_not_repaired_once_more(
    empty: ConnectionParams, folder: Path
) -> None:
    """It would be found again at once: its file is there."""
    gateway(empty, folder).apply(lock_wait=30)
    with connect_to(empty) as sql:
        sql.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0003_third'")
        sql.execute("DELETE FROM _yoyo_log WHERE migration_id = '0003_third'")
    told: list[str] = []
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(1, lambda: setattr(chaos, "trouble", Trouble.LOSE_ANSWER))
        assert repair(params, folder, told, kill_point=kill_point, decide="pending") == ("0003_third",)
        assert chaos.losses == 1
    assert len(told) == 1
    assert states(empty)[-1] == ("0003_third", "forgotten")


def test_a_repair_whose_outcome_cannot_be_asked_claims_nothing(
    broken: ConnectionParams, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinetria_cli.gateways.migrations.access.RECOVERY_SECONDS", 0.0)
    with chaos_before(broken) as (chaos, params):

        def lose_for_good() -> None:
            chaos.trouble = Trouble.LOSE_ANSWER
            chaos.take_no_more()

        with pytest.raises(DatabaseUnreachable, match="the outcome is not known: the database is not") as lost:
            repair(params, folder, [], kill_point=at_commit(1, lose_for_good))
        assert chaos.losses == 1
    assert lost.value.hint == "when the database answers again: kinetria migrate status shows what is recorded"
    assert repair(broken, folder, []) == STEPS[1:]


@pytest.mark.parametrize("trouble", [Trouble.LOSE_ANSWER, Trouble.LOSE_REQUEST])
def test_a_baseline_whose_answer_is_lost_counts_if_it_took_place(
    unrecorded: ConnectionParams, folder: Path, trouble: Trouble
) -> None:
    told: list[str] = []
    with chaos_before(unrecorded) as (chaos, params):
        migrations = gateway(params, folder, kill_point=at_commit(1, lambda: setattr(chaos, "trouble", trouble)))
        if trouble is Trouble.LOSE_ANSWER:
            migrations.baseline(IDS, lock_wait=30, tell=told.append)
            assert told == ["the connection was lost while the baseline was committed; it is committed"]
        else:
            with pytest.raises(DatabaseUnreachable, match="was lost") as lost:
                migrations.baseline(IDS, lock_wait=30, tell=told.append)
            assert (lost.value.exit_code, lost.value.hint) == (4, "run this again; nothing uncommitted was kept")
            assert (told, count(unrecorded, "SELECT count(*) FROM pg_tables WHERE tablename LIKE '%yoyo%'")) == ([], 0)
            migrations.baseline(IDS, lock_wait=30)
        assert chaos.losses == 1
    assert_recorded_once(unrecorded, folder, *IDS)


def use_kill_point(monkeypatch: pytest.MonkeyPatch, kill_point: Callable[[str], None]) -> None:
    """Of the command line's own migrations, not of the throw-away database that a baseline compares with."""
    listening = MigrationTools.listening

    def with_kill_point(self: MigrationTools, params: ConnectionParams) -> YoyoMigrationGateway:
        made = listening(self, params)
        made._access = replace(made._access, kill_point=kill_point)
        return made

    monkeypatch.setattr(MigrationTools, "listening", with_kill_point)


def when_silent(monkeypatch: pytest.MonkeyPatch, chaos: Chaos, error: type[BaseException] | None) -> list[Trouble]:
    """Let everything pass again when the server is taken for silent, and interrupt then; return what was the matter."""
    troubles: list[Trouble] = []

    def silent(*_: object) -> bool:
        troubles.append(chaos.trouble)
        chaos.trouble = Trouble.NONE
        if error:
            raise error
        return False

    monkeypatch.setattr(outcome, "is_working", silent)
    monkeypatch.setenv("REQUEST_TIMEOUT", "300ms")
    return troubles


@pytest.mark.parametrize("trouble", [Trouble.HOLD_ANSWERS, Trouble.BLACKHOLE])
@pytest.mark.parametrize(("error", "code"), [(None, 0), (KeyboardInterrupt, 130), (Terminated, 143)])
@pytest.mark.parametrize("command", ["repair", "baseline"])
def test_a_silent_server_at_the_commit_is_given_up_and_the_outcome_looked_up(
    request: pytest.FixtureRequest,
    folder: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    error: type[BaseException] | None,
    code: int,
    trouble: Trouble,
) -> None:
    direct: ConnectionParams = request.getfixturevalue("broken" if command == "repair" else "unrecorded")
    kept = trouble is Trouble.HOLD_ANSWERS
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    with chaos_before(direct) as (chaos, params):
        use_kill_point(monkeypatch, at_commit(1, lambda: setattr(chaos, "trouble", trouble)))
        troubles = when_silent(monkeypatch, chaos, error)
        answer = cli.use(params)("migrate", command, "--json")
    assert troubles[0] is trouble
    assert answer.code == (code or (0 if kept else 4))
    if error:
        what = "the repair of 0001_first" if command == "repair" else "the baseline"
        assert answer.error["hint"] == (
            f"the interruption came too late: {what} was committed; kinetria migrate status shows the rest"
            if kept
            else "what was half done was undone; run it again"
        )
    elif not kept:
        assert "no answer for 0.3 s" in answer.error["message"]
    if command == "baseline":
        assert count(direct, "SELECT count(*) FROM pg_tables WHERE tablename = '_yoyo_migration'") == int(kept)
        if kept:
            assert marks(direct) == list(IDS)
    else:
        first = gateway(direct, folder).status().migrations[0]
        assert first.state is (MigrationState.APPLIED if kept else MigrationState.MODIFIED)
        assert repair(direct, folder, []) == (() if kept and not error else STEPS[int(kept) :])


def test_a_server_that_is_silent_while_seed_reads_the_status_of_the_migrations_is_given_up(
    migrated: ConnectionParams, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chaos_before(migrated) as (chaos, params):
        look = Access.look

        def silent_look(self: Access, connection: Any) -> Any:
            chaos.trouble = Trouble.HOLD_ANSWERS
            return look(self, connection)

        monkeypatch.setattr(Access, "look", silent_look)
        troubles = when_silent(monkeypatch, chaos, None)
        answer = cli.use(params)("seed", "--profile", "minimal", "--json")
    assert troubles == [Trouble.HOLD_ANSWERS]
    assert answer.code == 4
    assert "no answer for 0.3 s" in answer.error["message"]
    assert count(migrated, "SELECT count(*) FROM kinetria_seed") == 0
