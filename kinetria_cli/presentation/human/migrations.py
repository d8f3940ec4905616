"""Migrations for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.migration import MigrateResult, MigrationState, MigrationStatus, span
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
    if result.already_applied:
        others = span(result.already_applied)
        screen.sentence(f"{others} already applied by {result.already_applied_by} while this run waited")
    count = len(result.applied)
    if count:
        screen.sentence(
            f"{count} applied, now at {result.head}" + (f", {result.pending} pending" if result.pending else "")
        )
    else:
        pending = f"{result.pending} pending" if result.pending else "none pending"
        screen.sentence(f"Nothing to do: at {result.head or 'an empty schema'}, {pending}")
    for rule in result.worse:
        screen.line(screen.mark(Mark.LOOK), f" {rule.title}: {rule.after:,}, before it {rule.before:,}")
        screen.line("     as ", ", ".join(rule.samples))
    if result.worse:
        screen.line("  next: kinetria db check --only invariant")


MARKS = {
    MigrationState.APPLIED: Mark.DONE,
    MigrationState.PENDING: Mark.BUSY,
    MigrationState.AHEAD: Mark.LOOK,
    MigrationState.MODIFIED: Mark.LOOK,
}


@render.register
def _(result: MigrationStatus, screen: Screen) -> None:
    for entry in result.migrations:
        when = f"{moment(entry.applied_at)} UTC by {entry.applied_by}" if entry.applied_at else ""
        mark = Mark.FAILED if entry.blocks else MARKS.get(entry.state, Mark.LOOK)
        screen.marked(mark, entry.id, f"{entry.state.value.replace('_', ' '):<13}{when}", name_width=40)
        if entry.detail:
            screen.line("    ", entry.detail)
        if entry.blocks:
            screen.line("    next: ", entry.mend or "")
    for warning in result.warnings:
        screen.marked(Mark.LOOK, warning, "")
    for name in result.missing_objects:
        screen.marked(Mark.FAILED, f"missing: {name}; dropped or renamed by hand: kinetria doctor", "")
    pending = len(result.pending_ids)
    summary = f"{len(result.applied_ids)} applied, {pending} pending"
    if result.problems:
        screen.sentence(f"{summary}, {len(result.problems)} to mend before anything is applied")
    else:
        screen.sentence(summary + (". Apply: kinetria migrate" if pending else ""))
