"""One renderer a result type: the human form of what a use case returned."""

import shlex
from functools import singledispatch
from typing import Any

from kinetria_cli.domain.config import ConfigShown
from kinetria_cli.domain.health import CheckStatus, HealthReport, HealthStatus
from kinetria_cli.domain.migration import MigrateResult, MigrationState, MigrationStatus, RollbackResult
from kinetria_cli.presentation.records import render_list, render_record
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, moment, size
from kinetria_cli.usecases.down import DownResult
from kinetria_cli.usecases.environment import ShellEnvironment
from kinetria_cli.usecases.inspect import RecordList, RecordShown
from kinetria_cli.usecases.seed import SeedResult
from kinetria_cli.usecases.status import StackStatus
from kinetria_cli.usecases.up import UpResult

CHECK_MARKS = {
    CheckStatus.OK: Mark.DONE,
    CheckStatus.WARN: Mark.LOOK,
    CheckStatus.FAIL: Mark.FAILED,
    CheckStatus.UNKNOWN: Mark.UNKNOWN,
    CheckStatus.SKIPPED: Mark.SKIPPED,
}


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: UpResult, screen: Screen) -> None:
    screen.line(f"engine        {result.engine} PostgreSQL {result.database.server_version}: {result.engine_reason}")
    for step in result.steps:
        screen.marked(Mark.DONE, step.name, step.detail, duration(step.seconds))
    screen.line()
    fresh = any(step.fresh for step in result.steps)
    screen.line(f"Ready in {duration(result.seconds)}." if fresh else f"Nothing to do ({duration(result.seconds)}).")
    screen.line("  kinetria status              everything on one screen")
    screen.line("  kinetria inspect users       the records")
    screen.line('  eval "$(kinetria env)"       the connection for your shell, then: psql')
    screen.line("  kinetria down                stop; the data stay")


@render.register
def _(result: DownResult, screen: Screen) -> None:
    if not result.stopped and not result.removed_volumes:
        screen.line("Nothing was running.")
    for name in result.stopped:
        screen.marked(Mark.DONE, name, "stopped")
    for volume in result.removed_volumes:
        screen.marked(Mark.DONE, "removed", volume)
    if result.stopped and not result.removed_volumes:
        screen.line("The data stay. Start again: kinetria up")


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
    screen.line(f"{applied} applied, {pending} pending" + (". Apply: kinetria migrate" if pending else ""))


@render.register
def _(result: HealthReport, screen: Screen) -> None:
    failing = sum(check.status is CheckStatus.FAIL for check in result.checks)
    mark = Mark.FAILED if not result.passed else Mark.DONE if result.status is HealthStatus.HEALTHY else Mark.LOOK
    counted = f", {failing} of {len(result.checks)} checks fail{'s' if failing == 1 else ''}" if failing else ""
    screen.line(screen.mark(mark), " ", result.status.value, counted)
    for check in result.checks:
        right = duration(check.seconds) if check.seconds else ""
        screen.marked(CHECK_MARKS[check.status], check.name, check.detail, right, name_width=14)
        if check.hint and check.status in (CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.UNKNOWN):
            screen.line(" " * 16, check.hint)


@render.register
def _(result: SeedResult, screen: Screen) -> None:
    rows = [[t.name, t.inserted, t.changed, t.unchanged] for t in result.tables if t.rows]
    screen.table(["table", "would insert" if result.dry_run else "inserted", "changed", "unchanged"], rows)
    inserted = sum(table.inserted for table in result.tables)
    title = f"{result.profile}, random seed {result.random_seed}"
    if result.dry_run:
        screen.line(f"{title}: would insert {inserted:,} rows; nothing was written")
    elif inserted:
        screen.line(f"{title}: inserted {inserted:,} rows in {duration(result.seconds)}")
    else:
        screen.line(f"{title}: nothing to do")


@render.register
def _(result: ShellEnvironment, screen: Screen) -> None:
    for name, value in result.variables.items():
        screen.verbatim(f"export {name}={shlex.quote(value)}")


@render.register
def _(result: ConfigShown, screen: Screen) -> None:
    rows = []
    for value in result.values:
        is_set = value.origin != "not set"
        shown = "(set)" if value.secret and is_set else value.value or "-"
        rows.append([value.name, shown, value.origin])
    screen.table(["name", "value", "origin"], rows)


@render.register
def _(result: StackStatus, screen: Screen) -> None:
    screen.line(f"{result.project:<12}{result.engine}, {result.health}    ENVIRONMENT={result.environment}")
    for service in result.services:
        well = service.state == "running" and service.health == "healthy"
        mark = Mark.DONE if well else Mark.SKIPPED if service.state == "stopped" else Mark.FAILED
        words = service.state if service.state == "stopped" else service.health
        detail = f"{words:<11}{service.address or ''}"
        server = result.database.server if result.database else None
        if service.name == "postgres" and well and server:
            used = f"{server.connections} of {server.max_connections} connections"
            detail += f"    {server.version}, {size(server.size_bytes)}, {used}"
        screen.marked(mark, service.name, detail)
    if result.database and result.database.error and result.health != "stopped":
        screen.marked(Mark.FAILED, "database", result.database.error)
    _render_contents(result, screen)
    if result.health == "stopped":
        screen.line("Start it: kinetria up")


def _render_contents(result: StackStatus, screen: Screen) -> None:
    migrations = result.migrations
    if migrations.applied is not None:
        pending = f"{migrations.pending} pending: kinetria migrate" if migrations.pending else "none pending"
        mark = Mark.LOOK if migrations.pending else Mark.DONE
        screen.marked(mark, "migrations", f"{migrations.applied} applied, {pending}    {migrations.head or ''}")
    if result.records:
        screen.line("   ".join(f"{table.replace('_', ' ')} {count:,}" for table, count in result.records.items()))


@render.register
def _(result: RecordList, screen: Screen) -> None:
    render_list(result, screen)


@render.register
def _(result: RecordShown, screen: Screen) -> None:
    render_record(result, screen)
