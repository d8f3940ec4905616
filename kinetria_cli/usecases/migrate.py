"""Applying, reading and rolling back migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MalformedParameters, MigrationConflict
from kinetria_cli.domain.migration import MigrateResult, MigrationStatus, RollbackResult, named, span
from kinetria_cli.usecases.confirm import require_confirmation
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.migration_reports import MigrationDiff, MigrationHistory, MigrationPlan


def migrate(
    *,
    migrations: MigrationGateway,
    lock_wait: float,
    to: str | None,
    steps: int | None,
    allow_out_of_order: bool,
    statement_timeout: float | None,
    tell: Tell,
) -> MigrateResult:
    """Apply what is pending. Raises what `MigrationGateway.apply` raises."""
    return migrations.apply(
        lock_wait=lock_wait,
        to=to,
        steps=steps,
        allow_out_of_order=allow_out_of_order,
        statement_timeout=statement_timeout,
        tell=tell,
    )


def plan(*, migrations: MigrationGateway, to: str | None, steps: int | None, allow_out_of_order: bool) -> MigrationPlan:
    """Say what `migrate` would run. Raises what `MigrationGateway.plan` raises."""
    from kinetria_cli.domain.migration_reports import MigrationPlan

    return MigrationPlan(migrations.plan(to=to, steps=steps, allow_out_of_order=allow_out_of_order))


def migration_status(*, migrations: MigrationGateway) -> MigrationStatus:
    """Compare files and records. Raises what `MigrationGateway.status` raises."""
    return migrations.status()


def migration_history(*, migrations: MigrationGateway) -> MigrationHistory:
    """List what was applied. Raises what `MigrationGateway.history` raises."""
    return migrations.history()


def migration_diff(*, migrations: MigrationGateway, migration_id: str) -> MigrationDiff:
    """Show what was applied against the file. Raises what `MigrationGateway.diff` raises."""
    return migrations.diff(migration_id)


def choose_rollback(status: MigrationStatus, *, steps: int | None, to: str | None) -> tuple[str, ...]:
    """Return the migrations to roll back, newest first.

    Args:
        status: What is applied.
        steps: How many; 1 when neither is given.
        to: The migration that stays the newest: its id, or its number.

    Raises:
        MalformedParameters: Both are given, `steps` is below 1, or `to` is ambiguous.
        MigrationConflict: `to` is not applied.
    """
    if steps is not None and to is not None:
        raise MalformedParameters("--steps and --to exclude each other", hint="give one of them")
    newest_first = status.applied_ids[::-1]
    if to is None:
        if steps is not None and steps < 1:
            raise MalformedParameters(f"--steps is {steps}", hint="a number from 1")
        return newest_first[: steps or 1]
    matches = named(newest_first, to)
    if not matches:
        raise MigrationConflict(f"{to} is not an applied migration", hint="kinetria migrate status lists them")
    if len(matches) > 1:
        raise MalformedParameters(f"{to} is the number of {' and '.join(sorted(matches))}", hint="give the whole id")
    return newest_first[: newest_first.index(matches[0])]


def rollback(
    *,
    migrations: MigrationGateway,
    prompt: Prompt,
    target: Target,
    production: bool,
    steps: int | None,
    to: str | None,
    yes: bool,
    confirm: str | None,
    lock_wait: float,
    dry_run: bool,
) -> RollbackResult:
    """Roll back the newest migrations after asking.

    Raises:
        ConfirmationRequired: Not confirmed.
        Whatever `choose_rollback` and `MigrationGateway.rollback` raise.
    """
    status = migrations.status()
    chosen = choose_rollback(status, steps=steps, to=to)
    if not chosen or dry_run:
        return RollbackResult((), (), len(status.pending_ids), status.head, would_roll_back=chosen)
    migrations.check_rollback(chosen)
    what = f"Rolling back {span(chosen)} removes what it made, with the data in it. On {target.label}."
    name = target.params.dbname
    require_confirmation(prompt, what, name=name, own=target.own, production=production, yes=yes, confirm=confirm)
    return migrations.rollback(chosen, lock_wait=lock_wait)
