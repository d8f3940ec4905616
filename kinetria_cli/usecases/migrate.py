"""Applying and reading migrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import EngineUnavailable, KinetriaError, SchemaMissing
from kinetria_cli.domain.migration import MigrateResult, MigrationStatus, span, unwatched

if TYPE_CHECKING:
    from pathlib import Path

    from kinetria_cli.domain.measure import Measurement
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationGateway, MigrationLinter
    from kinetria_cli.domain.migration_reports import MigrationDiff, MigrationHistory, MigrationPlan
    from kinetria_cli.usecases.checks.worse import RecordComparison

Measure = Callable[[tuple[str, ...], tuple[str, ...], "Path | None"], "tuple[Measurement, ...]"]
"""Runs pending migrations behind applied ones, on a server filled from a dump, and says what each statement did."""


def migrate(
    *,
    migrations: MigrationGateway,
    lock_wait: float,
    to: str | None,
    steps: int | None,
    allow_out_of_order: bool,
    statement_timeout: float | None,
    tell: Tell,
    records: RecordComparison | None = None,
) -> MigrateResult:
    """Apply what is pending, and compare the records before and after. Raises what `MigrationGateway.apply` raises."""
    result = migrations.apply(
        lock_wait=lock_wait,
        to=to,
        steps=steps,
        allow_out_of_order=allow_out_of_order,
        statement_timeout=statement_timeout,
        tell=tell,
        watch=records.look if records else unwatched,
    )
    return replace(result, worse=records.worse) if records else result


def plan(
    *,
    migrations: MigrationGateway,
    linter: MigrationLinter,
    to: str | None,
    steps: int | None,
    allow_out_of_order: bool,
    measure: Measure | None = None,
    dump: Path | None = None,
) -> MigrationPlan:
    """Say what `migrate` would run, what lint finds in it, and what each statement does on a server of our own.

    Args:
        migrations: Of the database.
        linter: Of its folder.
        to, steps, allow_out_of_order: As for `migrate`.
        measure: Runs the files elsewhere; None does not.
        dump: What that server is filled with; None is the demo records.

    Raises:
        Whatever `MigrationGateway.plan` and `measure` raise.
    """
    from kinetria_cli.domain.migration_reports import MigrationPlan

    chosen = migrations.plan(to=to, steps=steps, allow_out_of_order=allow_out_of_order)
    note = None
    try:
        findings = linter.lint(tuple(step.id for step in chosen))
    except EngineUnavailable as error:  # without squawk the plan itself is still worth reading
        findings, note = (), f"{error.message}; {error.hint}"
    # A rollback file is found fault with when it is linted, not when it will not run.
    about_these = tuple(found for found in findings if not found.file.endswith(".rollback.sql"))
    pending = tuple(step.id for step in chosen)
    measured = measure(migrations.status().applied_ids, pending, dump) if measure and pending else ()
    options = [f"--to {to}"] if to is not None else [f"--steps {steps}"] if steps is not None else []
    command = ["kinetria migrate", *options, *(["--allow-out-of-order"] if allow_out_of_order else [])]
    return MigrationPlan(chosen, about_these, note, measured, " ".join(command))


def migration_status(*, migrations: MigrationGateway) -> MigrationStatus:
    """Compare files and records. Raises what `MigrationGateway.status` raises."""
    return migrations.status()


def migration_history(*, migrations: MigrationGateway) -> MigrationHistory:
    """List what was applied. Raises what `MigrationGateway.history` raises."""
    return migrations.history()


def migration_diff(*, migrations: MigrationGateway, migration_id: str) -> MigrationDiff:
    """Show what was applied against the file. Raises what `MigrationGateway.diff` raises."""
    return migrations.diff(migration_id)


def with_pending(error: SchemaMissing, migrations: MigrationGateway) -> SchemaMissing:
    """Return the error of what is missing in a schema with pending migrations as its cause, where there are some."""
    try:
        status = migrations.status()
    except KinetriaError:
        return error  # the first one says more
    if not status.pending_ids:
        return error
    if status.applied_ids:
        why = f"{len(status.pending_ids)} pending, {span(status.pending_ids)}"
    else:
        why = "no migration is applied, so the database has no tables yet"
    return SchemaMissing(f"{why}: {error.message}", hint="kinetria migrate, then run this again", details=error.details)
