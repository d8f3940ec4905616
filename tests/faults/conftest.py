"""What the fault tests of migrations begin with: a folder of three, and the command line on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import Migrate, Session, gateway, write_folder
from tests.world import Cli, connect_to


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tables, one a file."""
    return write_folder(
        tmp_path / "three",
        m0001_first="CREATE TABLE first (id int);\n",
        m0002_second="CREATE TABLE second (id int);\n",
        m0003_third="CREATE TABLE third (id int);\n",
    )


@pytest.fixture
def migrate(cli: Cli, empty: ConnectionParams, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Run `kinetria migrate ... --json` on the folder."""
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    cli.use(empty)
    return lambda *arguments: cli("migrate", *arguments, "--json")


@pytest.fixture
def indexed(tmp_path: Path) -> Path:
    """A table of two rows, and a concurrent index on it."""
    return write_folder(
        tmp_path / "two",
        m0001_first="CREATE TABLE first (id int);\nINSERT INTO first VALUES (1), (2);\n",
        m0002_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n",
        m0002_index__rollback="-- transactional: false\nDROP INDEX CONCURRENTLY first_id;\n",
    )


@pytest.fixture
def holder(empty: ConnectionParams, indexed: Path) -> Iterator[Session]:
    """The first file is applied; a session has written to its table, and an index build waits until it ends."""
    gateway(empty, indexed).apply(lock_wait=5, to="0001")
    with connect_to(empty) as other:
        other.execute("SET application_name = 'nightly job'")
        other.execute("BEGIN")
        other.execute("INSERT INTO first VALUES (3)")
        yield other
