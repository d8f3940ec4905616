"""The stack for people: up, status, env, config show."""

import shlex
from functools import singledispatch
from typing import Any

from kinetria_cli.domain.config import ConfigShown
from kinetria_cli.domain.figures import size
from kinetria_cli.domain.stack import Server
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration
from kinetria_cli.usecases.environment import ShellEnvironment, ShellUnset
from kinetria_cli.usecases.status import StackStatus, StatusDatabase
from kinetria_cli.usecases.up import UpResult


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: UpResult, screen: Screen) -> None:
    screen.sentence(
        f"engine        {result.engine} PostgreSQL {result.database.server_version}: {result.engine_reason}"
    )
    for step in () if screen.steps_are_shown else result.steps:
        screen.marked(Mark.DONE, step.name, step.detail, duration(step.seconds))
    if result.migrations.pending:
        screen.marked(Mark.LOOK, "migrations", f"{result.migrations.pending} pending: kinetria migrate")
    screen.line()
    fresh = any(step.fresh for step in result.steps)
    screen.line(f"Ready in {duration(result.seconds)}." if fresh else f"Nothing to do ({duration(result.seconds)}).")
    screen.line("  kinetria status              everything on one screen")
    screen.line("  kinetria inspect users       the records")
    own, gap = (" --own", "") if result.elsewhere else ("", "      ")
    screen.line(f'  eval "$(kinetria env{own})" {gap}the connection for your shell, then: psql')
    screen.line("  kinetria down                stop; the data stay")


@render.register
def _(result: StackStatus, screen: Screen) -> None:
    engine = f"{result.engine}, " if result.engine else ""
    screen.sentence(f"{result.project:<12}{engine}{result.health}    ENVIRONMENT={result.environment}")
    for service in result.services:
        well = service.state == "running" and service.health == "healthy"
        mark = Mark.DONE if well else Mark.FAILED if service.health == "unhealthy" else Mark.SKIPPED
        words = service.state if service.health == "unknown" or service.state == "stopped" else service.health
        detail = f"{words:<11}{service.address or ''}"
        if service.name == "postgres" and well and result.database:
            detail += _server(result.database)
        screen.marked(mark, service.name, detail)
    database = result.database
    if database and not database.own:
        mark = Mark.DONE if database.server else Mark.FAILED
        used = Server(database.host, database.port).address
        among = ",".join(server.address for server in database.servers)
        place = among if database.server is None or used == among else f"{used} of {among}"
        label = f"{database.user}@{place}/{database.name} (from {database.origin})"
        screen.marked(mark, "database", label + _server(database))
    if database and database.error and result.health != "stopped":
        screen.marked(Mark.FAILED, "", database.error)
    _render_contents(result, screen)
    if result.health in ("unhealthy", "degraded"):
        screen.line("What is wrong and what mends it: kinetria health")
    if result.health == "stopped":
        screen.line("Start it: kinetria up")


def _server(database: StatusDatabase) -> str:
    server = database.server
    if server is None:
        return ""
    used = f"{server.connections} of {server.max_connections} connections"
    return f"    {server.version}, {size(server.size_bytes)}, {used}"


def _render_contents(result: StackStatus, screen: Screen) -> None:
    migrations = result.migrations
    if migrations.applied is not None:
        pending = f"{migrations.pending} pending: kinetria migrate" if migrations.pending else "none pending"
        if migrations.problems:
            pending += f", {migrations.problems} to mend: kinetria migrate status"
        mark = Mark.LOOK if migrations.pending or migrations.problems else Mark.DONE
        screen.marked(mark, "migrations", f"{migrations.applied} applied, {pending}    {migrations.head or ''}")
    for name in migrations.missing_objects:
        screen.marked(Mark.FAILED, "", f"missing: {name}")
    for reason in dict.fromkeys(result.uncounted.values()):
        screen.marked(Mark.LOOK, "", f"not counted: {reason}")
    if result.records:
        screen.sentence("   ".join(f"{table.replace('_', ' ')} {count:,}" for table, count in result.records.items()))


@render.register
def _(result: ShellEnvironment, screen: Screen) -> None:
    for name, value in result.variables.items():
        screen.verbatim(f"export {name}={shlex.quote(value)}")


@render.register
def _(result: ShellUnset, screen: Screen) -> None:
    screen.verbatim(f"unset {' '.join(result.unset)}")


@render.register
def _(result: ConfigShown, screen: Screen) -> None:
    rows = []
    for value in result.values:
        is_set = value.origin != "not set"
        shown = "(set)" if value.secret and is_set else value.value or "-"
        rows.append([value.name, shown, value.origin])
    screen.table(["name", "value", "origin"], rows)
