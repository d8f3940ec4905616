"""Huge files, and machines whose name nobody can resolve."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import (
    Migrate,
    assert_recorded_once,
    assert_refused,
    count,
    gateway,
    relation_exists,
    value,
    variables,
    write_folder,
)

MANY = 20_000


def test_twenty_thousand_statements_are_one_transaction(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    inserts = "".join(f"INSERT INTO third VALUES ({number});\n" for number in range(MANY))
    write_folder(folder, m0003_third=f"CREATE TABLE third (id int);\n{inserts}SELECT 1 / 0;\n")
    failed = migrate()
    assert failed.code == 1
    assert failed.error["details"][0] == f"{folder}/0003_third.sql:{MANY + 2}:1"
    assert not relation_exists(empty, "third")
    write_folder(folder, m0003_third=f"CREATE TABLE third (id int);\n{inserts}")
    assert migrate().code == 0
    assert count(empty, "SELECT count(*) FROM third") == MANY
    assert_recorded_once(empty, folder, "0001_first", "0002_second", "0003_third")


def test_more_tables_than_the_server_can_lock_are_told_with_the_way_out(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    write_folder(folder, m0003_third="".join(f"CREATE TABLE many_{number} ();\n" for number in range(MANY)))
    answer = migrate()
    assert_refused(
        answer,
        1,
        "migration.failed",
        "0003_third.sql failed and was rolled back. The database is as before it.",
        "split the file, or raise max_locks_per_transaction: each table it touches takes a lock",
    )
    assert "out of shared memory  (53200)" in answer.error["details"]
    assert count(empty, "SELECT count(*) FROM pg_class WHERE relname LIKE 'many%'") == 0
    write_folder(folder, m0003_third="CREATE TABLE many_0 ();\n")
    assert migrate().code == 0


def test_a_machine_whose_name_nobody_resolves_migrates(empty: ConnectionParams, folder: Path) -> None:
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--uts",
        "sh",
        "-c",
        'hostname nowhere.invalid && exec "$@"',
        "-",
    ]
    env = {**os.environ, **variables(empty, folder)}
    done = subprocess.run(
        [*command, sys.executable, "-m", "kinetria_cli", "migrate"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert value(empty, "SELECT DISTINCT hostname FROM _yoyo_log") == "nowhere.invalid"
    who = value(empty, "SELECT DISTINCT applied_by FROM _kinetria_migration")
    assert isinstance(who, str) and who.endswith("@nowhere.invalid")


def test_no_name_server_is_asked_who_we_are(
    empty: ConnectionParams, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a name server was asked")

    for name in ("getfqdn", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
        monkeypatch.setattr(socket, name, refuse)
    gateway(empty, folder).apply(lock_wait=5)
    assert_recorded_once(empty, folder, "0001_first", "0002_second", "0003_third")
