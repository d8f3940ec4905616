"""Migrations for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.migration import MigrateResult, MigrationState, MigrationStatus, RollbackResult
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, moment


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: MigrateResult, screen: Screen) -> None:
    for run in result.applied:
        screen.marked(Mark.DONE, run.id, "", duration(run.seconds), name_width=40)
    count = len(result.applied)
    screen.line(f"{count} applied, now at {result.head}" if count else f"Nothing to do: at {result.head}, none pending")


@render.register
def _(result: RollbackResult, screen: Screen) -> None:
    for run in result.rolled_back:
        screen.marked(Mark.DONE, run.id, "rolled back", duration(run.seconds), name_width=40)
    for name in result.would_roll_back:
        screen.marked(Mark.BUSY, name, "would be rolled back", name_width=40)
    if result.would_roll_back:
        screen.line(f"would roll back {len(result.would_roll_back)}; nothing was changed")
        return
    head = result.head or "an empty schema"
    screen.line(f"{len(result.rolled_back)} rolled back, now at {head}, {result.pending} pending")


@render.register
def _(result: MigrationStatus, screen: Screen) -> None:
    marks = {MigrationState.APPLIED: Mark.DONE, MigrationState.PENDING: Mark.BUSY, MigrationState.MISSING: Mark.LOOK}
    for entry in result.migrations:
        when = f"{moment(entry.applied_at)} UTC by {entry.applied_by}" if entry.applied_at else ""
        screen.marked(marks[entry.state], entry.id, f"{entry.state.value:<9}{when}", name_width=40)
    pending = len(result.pending_ids)
    applied = len(result.applied_ids)
    if result.missing_ids:
        screen.line(f"{len(result.missing_ids)} applied without a file: put it back, or look who applied it from where")
    screen.line(f"{applied} applied, {pending} pending" + (". Apply: kinetria migrate" if pending else ""))
