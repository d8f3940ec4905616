"""How the database differs from what the migrations that are applied in it make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.check import UNMIGRATED, Finding, Severity
from kinetria_cli.domain.drift import Comparison
from kinetria_cli.domain.drift_findings import CHECK, findings
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.usecases.verify import PUBLIC, apply_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinetria_cli.domain.migration import MigrationEntry, MigrationStatus
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.verify import Workbench

_UNCOMPARABLE = frozenset({MigrationState.MISSING, MigrationState.AHEAD, MigrationState.DIRTY})
_DOUBTFUL = {
    MigrationState.OUT_OF_ORDER: "not applied though newer ones are; what it makes is missing",
    MigrationState.MODIFIED: "compared with the file as it is now",
    MigrationState.RENAMED: "compared with the file under its new name",
}


def drift(*, workbench: Workbench, migrations: MigrationGateway) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """Return what differs in schema public, and the names of all objects that the applied migrations make.

    Pending migrations are no drift: the comparison is with those up to the newest that is applied. Where the record
    does not fit the folder so that nothing could be compared, that is the finding, and there are no names.

    Args:
        workbench: The files, the database, and where to try them.
        migrations: Of the database.

    Raises:
        ConfigMissing: No database is named.
        MigrationFailed: The migrations cannot be applied to an empty database.
        Whatever `Workbench.files`, `Workbench.server` and `MigrationGateway.status` raise.
    """
    status = migrations.status()
    if hindered := tuple(_hindrances(status)):
        return hindered, frozenset()
    files = workbench.files(max(status.renamed.get(name, name) for name in status.applied_ids))
    here = workbench.target_fingerprint().within(PUBLIC)
    with workbench.server(tuple(file.id for file in files)) as server, server.database() as database:
        apply_all(database, files[-1].id)
        made = database.fingerprint().within(PUBLIC)
        comparison = Comparison(here, made)
        theirs = database.definitions(comparison.names)
    ours = workbench.target_definitions(comparison.names, counted=comparison.countable)
    found = (*_doubts(status), *findings(comparison, ours, theirs))
    return found, frozenset(fact.object for fact in made)


def _hindrances(status: MigrationStatus) -> Iterator[Finding]:
    if not status.applied_ids:
        yield Finding(
            CHECK,
            UNMIGRATED,
            Severity.ERROR,
            "none is applied, so that nothing can be compared: kinetria migrate applies them,"
            " kinetria migrate baseline records them for tables that exist",
        )
    for entry in status.migrations:
        if entry.state in _UNCOMPARABLE:
            yield _finding(entry, Severity.ERROR, "nothing was compared")


def _doubts(status: MigrationStatus) -> Iterator[Finding]:
    for entry in status.migrations:
        if entry.state in _DOUBTFUL and not entry.harmless:
            late = entry.state is MigrationState.OUT_OF_ORDER
            yield _finding(entry, Severity.ERROR if late else Severity.WARNING, _DOUBTFUL[entry.state])


def _finding(entry: MigrationEntry, severity: Severity, consequence: str) -> Finding:
    mend = f": {entry.mend}" if entry.mend else ""
    return Finding(CHECK, f"migration {entry.id}", severity, f"{entry.detail or entry.state}; {consequence}{mend}")
