"""History, differences and repairs of migrations, for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.migration_reports import BaselineResult, MigrationDiff, MigrationHistory, RepairResult
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, moment


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: MigrationHistory, screen: Screen) -> None:
    for run in result.runs:
        when = moment(run.finished_at) if run.finished_at else "never ended"
        took = duration(run.seconds) if run.seconds is not None else ""
        origin = "" if run.origin == "migrate" else f", {run.origin}"
        tool = f" with {run.tool_version}" if run.tool_version else ""
        detail = f"{when} by {run.applied_by or 'somebody'}{tool}{origin}"
        screen.marked(Mark.DONE if run.state == "applied" else Mark.LOOK, run.id, detail, took, name_width=40)
        if run.undone_at:
            screen.line("    ", f"{run.state.replace('_', ' ')} {moment(run.undone_at)} by {run.undone_by}")
    if not result.runs:
        screen.line("Nothing was ever applied.")


@render.register
def _(result: MigrationDiff, screen: Screen) -> None:
    for line in result.diff:
        screen.line(line)
    if not result.diff:
        screen.line(f"{result.id}: the file is as it was applied")
    if result.adopted:
        screen.sentence("The applied text was taken from the file later: it cannot show an edit that was made before.")


@render.register
def _(result: RepairResult, screen: Screen) -> None:
    for step in result.steps:
        screen.marked(Mark.DONE if result.repaired else Mark.BUSY, step.id, step.action, name_width=40)
    if not result.steps:
        screen.line("Nothing to repair.")
    elif result.repaired:
        screen.sentence(f"{len(result.steps)} repaired. Next: kinetria migrate status")
    else:
        screen.sentence(f"would repair {len(result.steps)}; nothing was changed")


@render.register
def _(result: BaselineResult, screen: Screen) -> None:
    for name in result.recorded:
        screen.marked(Mark.BUSY if result.dry_run else Mark.DONE, name, "is there already", name_width=40)
    count = len(result.recorded)
    if result.dry_run:
        screen.sentence(f"would record {count} as applied; nothing was changed")
    else:
        screen.sentence(f"{count} recorded as applied, now at {result.head}. Next: kinetria migrate status")
