"""Rolling migrations back: what that destroys is said, confirmed and kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import FileUnwritable, MalformedParameters, MigrationConflict, Refused
from kinetria_cli.domain.migration import MigrationStatus, RollbackResult, Tell, named
from kinetria_cli.domain.migration_reports import RedoResult, RollbackRequest
from kinetria_cli.usecases.confirm import require_confirmation
from kinetria_cli.usecases.losses import rollback_warning
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt
    from kinetria_cli.domain.migration_ports import MigrationGateway

USES = ("applied", "file")


@dataclass(frozen=True, slots=True)
class RollbackWish:
    """What is asked for.

    Args:
        steps: How many; 1 when `to` is not given either.
        to: The migration that stays the newest.
        use: `applied` or `file`; see `RollbackRequest`.
        keep: The folder for what is destroyed; None keeps nothing.
        yes: Whether --yes was given.
        confirm: The value of --confirm.
        lock_wait: Seconds to wait for another run.
    """

    steps: int | None
    to: str | None
    use: str | None
    keep: Path | None
    yes: bool
    confirm: str | None
    lock_wait: float


def choose_rollback(status: MigrationStatus, *, steps: int | None, to: str | None) -> tuple[str, ...]:
    """Return the migrations to roll back, newest first.

    Args:
        status: What is applied.
        steps: How many; 1 when neither is given.
        to: The migration that stays the newest: its id, or its number.

    Raises:
        MalformedParameters: Both are given, `steps` is below 1, or `to` is ambiguous.
        MigrationConflict: `to` is not applied, or fewer than `steps` migrations are.
    """
    if steps is not None and to is not None:
        raise MalformedParameters("--steps and --to exclude each other", hint="give one of them")
    newest_first = status.applied_ids[::-1]
    if to is None:
        if steps is not None and steps < 1:
            raise MalformedParameters(f"--steps is {steps}", hint="a number from 1")
        if steps is not None and newest_first and steps > len(newest_first):
            raise MigrationConflict(
                f"--steps is {steps}, but only {len(newest_first)} are applied; nothing was rolled back",
                hint=f"--steps {len(newest_first)} rolls all of them back; kinetria migrate status lists them",
            )
        return newest_first[: steps or 1]
    matches = named(newest_first, to)
    if not matches:
        raise MigrationConflict(f"{to} is not an applied migration", hint="kinetria migrate status lists them")
    if len(matches) > 1:
        raise MalformedParameters(f"{to} is the number of {' and '.join(sorted(matches))}", hint="give the whole id")
    return newest_first[: newest_first.index(matches[0])]


def rollback(
    wish: RollbackWish,
    *,
    migrations: MigrationGateway,
    prompt: Prompt,
    target: Target,
    production: bool,
    dry_run: bool,
    tell: Tell,
) -> RollbackResult:
    """Roll back the newest migrations after saying what that destroys, and asking.

    Raises:
        ConfirmationRequired: Not confirmed.
        Refused: What is destroyed cannot be kept.
        Whatever `choose_rollback`, `MigrationGateway.losses` and `MigrationGateway.rollback` raise.
    """
    if wish.use is not None and wish.use not in USES:
        raise MalformedParameters(f"--use is {wish.use!r}", hint=f"--use {' or --use '.join(USES)}")
    status = migrations.status()
    chosen = choose_rollback(status, steps=wish.steps, to=wish.to)
    if not chosen:
        return RollbackResult((), (), len(status.pending_ids), status.head)
    request = RollbackRequest(wish.lock_wait, wish.use, wish.keep, tell)
    warning = _warning(chosen, request, migrations, target)
    if dry_run:
        lines = tuple(warning.split("\n"))
        return RollbackResult((), (), len(status.pending_ids), status.head, would_roll_back=chosen, would_destroy=lines)
    name = target.params.dbname
    own = target.own
    require_confirmation(prompt, warning, name=name, own=own, production=production, yes=wish.yes, confirm=wish.confirm)
    return migrations.rollback(chosen, request)


def redo(
    wish: RollbackWish,
    *,
    migrations: MigrationGateway,
    prompt: Prompt,
    target: Target,
    production: bool,
    dry_run: bool,
    tell: Tell,
) -> RedoResult:
    """Roll back the newest migrations and apply them again, as their files are now. Raises what both steps raise."""
    migrations.check_redo(choose_rollback(migrations.status(), steps=wish.steps, to=wish.to))
    undone = rollback(
        wish, migrations=migrations, prompt=prompt, target=target, production=production, dry_run=dry_run, tell=tell
    )
    if dry_run:
        chosen = undone.would_roll_back
        return RedoResult((), (), (), undone.pending, undone.head, chosen, chosen[::-1], undone.would_destroy)
    if not undone.rolled_back:
        return RedoResult((), (), (), undone.pending, undone.head)
    newest = undone.rolled_back[0].id
    done = migrations.apply(lock_wait=wish.lock_wait, to=newest, tell=tell)
    return RedoResult(undone.rolled_back, done.applied, undone.kept, done.pending, done.head)


def _warning(chosen: tuple[str, ...], request: RollbackRequest, migrations: MigrationGateway, target: Target) -> str:
    try:
        losses = migrations.losses(chosen, request)
    except FileUnwritable as error:
        raise Refused(
            f"what would be destroyed cannot be kept: {error.message}", hint="--keep DIR, or --no-keep"
        ) from error
    folder = None if request.keep is None else str(request.keep)
    return rollback_warning(losses, place=target.label, kept_folder=folder)
