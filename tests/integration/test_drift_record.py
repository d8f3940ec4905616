"""Drift is compared with what is recorded as applied; where the record does not fit the folder, that is said."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kinetria_cli.bootstrap_migrations import MigrationTools
from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.errors import PrivilegeMissing
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.http.probe import HttpClientProbe
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.settings import load_settings
from kinetria_cli.usecases.drift import drift
from tests.conftest import gateway_for
from tests.integration.drifting import found_in, one_in, write
from tests.integration.rows import Sql
from tests.integration.test_verify import bench
from tests.world import MIGRATIONS, connect_to


def test_pending_migrations_are_no_drift(empty: ConnectionParams) -> None:
    gateway_for(empty).apply(lock_wait=5, to="0004")
    findings, made = drift(workbench=bench(empty, MIGRATIONS), migrations=gateway_for(empty))
    assert findings == ()
    assert "table public.sessions" in made
    assert "table public.audit_log" not in made


def test_a_database_that_was_never_migrated_is_one_finding(empty: ConnectionParams) -> None:
    findings, made = drift(workbench=bench(empty, MIGRATIONS), migrations=gateway_for(empty))
    assert [(finding.object, finding.severity, finding.sql) for finding in findings] == [
        ("migrations", Severity.ERROR, None)
    ]
    assert made == frozenset()


@pytest.mark.parametrize(("lost", "words"), [(3, "newer than every file here"), (2, "applied, but its file is gone")])
def test_what_is_applied_without_a_file_is_one_finding(
    empty: ConnectionParams, tmp_path: Path, lost: int, words: str
) -> None:
    folder = write(tmp_path / "some", *(f"CREATE TABLE t{number} (id int)" for number in range(3)))
    gateway_for(empty, folder).apply(lock_wait=5)
    (folder / f"{lost:04}_step.sql").unlink()
    finding = one_in(empty, folder)
    assert (finding.object, finding.severity, finding.sql) == (f"migration {lost:04}_step", Severity.ERROR, None)
    assert words in finding.message
    assert "nothing was compared" in finding.message


def test_one_that_is_left_out_is_a_finding_and_so_is_what_it_makes(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write(tmp_path / "some", *(f"CREATE TABLE t{number} (id int)" for number in range(3)))
    late = folder / "0002_step.sql"
    text = late.read_text()
    late.unlink()
    gateway_for(empty, folder).apply(lock_wait=5)
    late.write_text(text)
    findings = found_in(empty, folder)
    assert [(finding.object, finding.severity) for finding in findings] == [
        ("migration 0002_step", Severity.ERROR),
        ("table public.t1", Severity.ERROR),
    ]
    assert "not applied though newer ones are" in findings[0].message


def test_a_file_that_was_changed_or_renamed_is_a_finding(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write(tmp_path / "some", "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    gateway_for(empty, folder).apply(lock_wait=5)
    write(folder, "CREATE TABLE a (id int, more text)")
    (folder / "0002_step.sql").rename(folder / "0002_other.sql")
    assert [(finding.object, finding.severity) for finding in found_in(empty, folder)] == [
        ("migration 0001_step", Severity.WARNING),
        ("migration 0002_step", Severity.WARNING),
        ("column public.a.more", Severity.ERROR),
    ]


@pytest.fixture
def reader(server: ConnectionParams, migrated: ConnectionParams) -> Iterator[ConnectionParams]:
    """A role that may read our bookkeeping and nothing else."""
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE drift_reader LOGIN PASSWORD 'd-secret'")
    with connect_to(migrated) as sql:
        names = sql.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^_?yoyo|^_kin'"
        )
        for (name,) in names.fetchall():
            sql.execute(f"GRANT SELECT ON {name} TO drift_reader".encode())
    yield replace(migrated, user="drift_reader", password="d-secret")
    with connect_to(migrated) as sql:
        sql.execute("DROP OWNED BY drift_reader; DROP ROLE drift_reader")


def test_where_no_database_can_be_made_that_is_raised(reader: ConnectionParams) -> None:
    with pytest.raises(PrivilegeMissing):
        found_in(reader)


def test_a_role_that_may_not_read_the_rows_finds_all_but_their_number(
    server: ConnectionParams, reader: ConnectionParams, sql: Sql
) -> None:
    sql.execute("CREATE TABLE notes (id int); ALTER TABLE users ADD nick text")
    with connect_to(server) as admin:
        admin.execute("ALTER ROLE drift_reader CREATEDB")
    findings = found_in(reader)
    assert {finding.object for finding in findings} == {"table public.notes", "column public.users.nick"}
    assert all("which this role may not count" in finding.message for finding in findings)


def test_the_composition_root_makes_it_for_a_target(migrated: ConnectionParams) -> None:
    with connect_to(migrated) as sql:
        sql.execute("DROP INDEX idx_users_email")
    settings = load_settings(environ={"KINETRIA_MIGRATIONS_DIR": str(MIGRATIONS)}, database=False)
    tools = MigrationTools(settings, lambda where: partial(connection, where, timeout=5))
    findings, made = tools.drift(migrated, HttpClientProbe())()
    assert [finding.object for finding in findings] == ["index public.idx_users_email"]
    assert "index public.idx_users_email" in made
