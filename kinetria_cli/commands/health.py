"""kinetria health."""

import time
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.domain.deadline import pause as wait_seconds
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.health import FailOn
from kinetria_cli.usecases.health_wait import HealthRounds, wait_healthy, watch_health

INTERVAL = "2s"


@command
def health(
    run: Run,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="DURATION", help="Go on checking until healthy; 0: check once.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on checking and showing until interrupted.")] = False,
    interval: Annotated[
        str | None, typer.Option("--interval", metavar="DURATION", help=f"Between two looks of --watch; {INTERVAL}.")
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option("--timeout", metavar="DURATION", help="For the checks, from the start on; REQUEST_TIMEOUT."),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit 1 when it is that or worse; unhealthy.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Also the schema and the records, as db check does.")] = False,
) -> None:
    """Ask every part whether it works, all at the same time; exit 1 when one does not."""
    _check_combination(watch=watch, interval=interval, forbidden={"--wait": wait, "--fail-on": fail_on})
    pause = seconds("--interval", interval or INTERVAL)
    patience = seconds("--wait", wait or "0", zero=True)
    limit = None if timeout is None else seconds("--timeout", timeout)
    run.check_target()
    if watch and run.output.json:
        raise MalformedParameters(
            "--watch shows a table to people, and JSON is one document", hint="kinetria health --json, again and again"
        )
    ports = run.container.health.ports(deep=deep, timeout=limit)
    started = run.options.started
    rounds = HealthRounds(ports, spent=0.0 if started is None else time.monotonic() - started)
    if watch:
        with run.output.health_watch() as show:
            watch_health(rounds.check, interval=pause, show=show, pause=wait_seconds)
    bad = fail_on or FailOn.UNHEALTHY
    report = wait_healthy(rounds.check, seconds=patience, fail_on=bad, waiting_for=run.output.waiting)
    run.finish(report, exit_code=0 if report.passes(bad) else 1)


def _check_combination(*, watch: bool, interval: str | None, forbidden: dict[str, str | None]) -> None:
    """Refuse options that would not count.

    Raises:
        MalformedParameters: There are some.
    """
    if interval is not None and not watch:
        raise MalformedParameters("--interval is of --watch alone", hint="kinetria health --watch --interval 2s")
    if not watch:
        return
    for option, value in forbidden.items():
        if value is not None:
            raise MalformedParameters(
                f"--watch never ends by itself, so {option} would not count", hint=f"kinetria health {option} {value}"
            )
