"""A schema that is not what this build expects, and the one cause that doctor names."""

from contextlib import closing
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from tests.conftest import free_port, gateway_for
from tests.faults.doctoring import editor, environment, in_a_shell, mended, one_cause, well
from tests.faults.migrating import LOCKS, Session, building, count, write_folder
from tests.faults.stack import wait_for
from tests.world import HEAD, IDS, MIGRATIONS, Cli, connect_to, first_seven


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not asked for its health."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))
    monkeypatch.setenv("REQUEST_TIMEOUT", "2s")


def test_a_schema_that_was_never_made_is_made(cli: Cli, empty: ConnectionParams) -> None:
    cause = one_cause(cli.use(empty)("doctor", "--json"), "schema")
    assert cause.cause == f"The schema was never made: {len(IDS)} pending: {IDS[0]} to {HEAD}."
    assert cause.command == "kinetria migrate"
    mended(cause.command, env=environment(empty))


@pytest.fixture
def destroying(empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> YoyoMigrationGateway:
    """A folder whose one pending migration drops a table."""
    folder = write_folder(tmp_path / "two", m0001_first="CREATE TABLE first (id int);\n")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    write_folder(folder, m0002_gone="DROP TABLE first;\n")
    return gateway


@pytest.mark.usefixtures("destroying")
def test_a_new_file_without_a_statement_is_opened(cli: Cli, empty: ConnectionParams, tmp_path: Path) -> None:
    file = write_folder(tmp_path / "two", m0002_gone="-- to do\n") / "0002_gone.sql"
    cause = one_cause(cli.use(empty)("doctor", "--json"), "schema")
    assert cause.cause == f"{file} holds no statement."
    assert cause.command == f"${{EDITOR:-vi}} {file}"
    mended(f"{cause.command} && kinetria migrate", env=environment(empty) | editor(tmp_path, "$a SELECT 1;"))


@pytest.mark.usefixtures("destroying")
def test_pending_and_destroying_is_not_run_by_itself(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("doctor", "--fix", "--yes", "--json")
    cause = one_cause(answer, "schema")
    assert (cause.command, answer.data["fixes"]) == ("kinetria migrate", [])
    assert cause.cause == "1 pending: 0002_gone."


def test_behind_a_lock_too_nothing_is_destroyed_by_itself(
    cli: Cli, empty: ConnectionParams, destroying: YoyoMigrationGateway
) -> None:
    access = destroying._access
    with access.connect() as holder, access.locked(holder, 5, lambda _: None):
        answer = cli.use(empty)("doctor", "--fix", "--yes", "--json")
    cause = one_cause(answer, "schema")
    assert (cause.command, answer.data["fixes"]) == ("kinetria migrate --lock-wait 5m", [])


def test_tables_without_a_record(cli: Cli, migrated: ConnectionParams) -> None:
    with connect_to(migrated) as admin:
        for (name,) in admin.execute(
            r"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(_|yoyo)'"
        ).fetchall():
            admin.execute(f"DROP TABLE {name} CASCADE".encode())
    cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.command == "kinetria migrate baseline"
    mended(cause.command, env=environment(migrated))


def test_an_applied_file_that_was_edited(
    cli: Cli, migrated: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copied"
    folder.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        (folder / path.name).write_bytes(path.read_bytes())
    edited = folder / f"{HEAD}.sql"
    edited.write_text(edited.read_text() + "\nSELECT 1;\n")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.cause.startswith(f"{HEAD} changed after it was applied")
    assert cause.command == f"kinetria migrate diff {HEAD}"
    assert cli(*cause.command.split()[1:]).code == 0
    assert "(it shows the change; take it back and write a new migration)" in " ".join(cli("doctor").out.split())


def test_a_table_that_was_dropped_by_hand(cli: Cli, migrated: ConnectionParams) -> None:
    with connect_to(migrated) as admin:
        admin.execute("DROP TABLE refresh_tokens CASCADE")
    cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.cause == (
        "Table public.refresh_tokens is recorded as created and missing: dropped or renamed by hand."
    )
    assert "refresh_tokens" in cli(*cause.command.split()[1:]).out


def test_a_database_that_is_ahead_of_this_build_is_well(
    cli: Cli, migrated: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(first_seven(tmp_path)))
    answer = cli.use(migrated)("doctor", "--json")
    assert well(answer)["schema"] == "warn"
    assert f"{IDS[7]}, " in answer.data["links"][-2]["detail"]


def test_a_migration_lock_that_another_run_holds(cli: Cli, migrated: ConnectionParams) -> None:
    gateway = gateway_for(migrated)
    with gateway._access.connect() as holder, gateway._access.locked(holder, 5, lambda _: None):
        cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
        assert cause.cause.startswith("Another run holds the migration lock: ")
        assert cause.command == "kinetria migrate --lock-wait 5m"
    mended(cause.command, env=environment(migrated))


def test_a_table_of_the_record_that_somebody_locks(cli: Cli, migrated: ConnectionParams) -> None:
    with closing(connect_to(migrated)) as holder:
        holder.execute("SET application_name = 'somebody'")
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE _kinetria_migration IN ACCESS EXCLUSIVE MODE")
        pid = holder.info.backend_pid
        answer = cli.use(migrated)("doctor", "--json", "--fix", "--yes")
        cause = one_cause(answer, "schema")
        assert cause.cause.startswith(f"The record of the migrations is locked by somebody at 127.0.0.1, pid {pid}, ")
        assert cause.command.endswith(f"-c 'SELECT pg_terminate_backend({pid})'")
        assert answer.data["fixes"] == []  # it takes somebody's work
        given = cause.command.replace("-U postgres", f"-U {migrated.user}")  # this server's administrator
        mended(given, env=environment(migrated))


def test_marks_that_were_dropped_by_hand_are_written_anew(cli: Cli, migrated: ConnectionParams) -> None:
    with connect_to(migrated) as admin:
        admin.execute("DROP TABLE _yoyo_migration")
    cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.command == "kinetria migrate baseline"
    mended(cause.command, env=environment(migrated))
    assert cli("migrate", "status", "--check").code == 0


def test_an_interrupted_migration_is_repaired(
    cli: Cli, empty: ConnectionParams, indexed: Path, holder: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = building(empty, indexed)
    run.kill()
    run.communicate()
    wait_for(lambda: count(empty, LOCKS) == 0)  # the server looks every half second whether its client is there
    holder.execute("COMMIT")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(indexed))
    cause = one_cause(cli.use(empty)("doctor", "--json"), "schema")
    assert cause.cause.startswith("0002_index ")
    assert cause.command == "kinetria migrate repair"
    fixed = in_a_shell("kinetria doctor --fix --yes --json", env=environment(empty))
    assert [done["command"] for done in fixed.data["fixes"]] == ["kinetria migrate repair", "kinetria migrate"]
    well(fixed)
