"""Helpers of the tests of drift."""

from pathlib import Path

from kinetria_cli.domain.check import Finding
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.drift import drift
from tests.conftest import gateway_for
from tests.integration.rows import Sql
from tests.integration.test_verify import bench
from tests.world import MIGRATIONS


def found_in(params: ConnectionParams, folder: Path = MIGRATIONS) -> tuple[Finding, ...]:
    return drift(workbench=bench(params, folder), migrations=gateway_for(params, folder))[0]


def one_in(params: ConnectionParams, folder: Path = MIGRATIONS) -> Finding:
    (finding,) = found_in(params, folder)
    return finding


def write(folder: Path, *texts: str) -> Path:
    """Write migrations, the first one first."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts, start=1):
        (folder / f"{number:04}_step.sql").write_text(text)
    return folder


def mend(sql: Sql, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.sql is not None:
            sql.execute(finding.sql.encode())
