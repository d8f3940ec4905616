"""What the fault tests of migrations begin with: a folder of three, and the command line on it."""

from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import Migrate, write_folder
from tests.world import Cli


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
