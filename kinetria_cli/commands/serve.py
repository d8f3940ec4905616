"""kinetria serve."""

from pathlib import Path
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.service import LONGEST_DRAIN_SECONDS, AccessLog
from kinetria_cli.usecases.serve import serve as run_service


@command(json_variable=False, json_option=False)
def serve(
    run: Run,
    pid_file: Annotated[
        Path | None, typer.Option("--pid-file", help="Hold a lock on this file, and write the process id into it.")
    ] = None,
    start_timeout: Annotated[
        str,
        typer.Option(
            "--start-timeout", metavar="DURATION", help="How long to wait for a database that is not there yet."
        ),
    ] = "10s",
    drain_delay: Annotated[
        str,
        typer.Option(
            "--drain-delay", metavar="DURATION", help="How long to go on after SIGTERM while not ready; 5s at most."
        ),
    ] = "0s",
    access_log: Annotated[
        AccessLog, typer.Option("--access-log", help="Which requests to log; errors: those that were not well.")
    ] = AccessLog.ERRORS,
) -> None:
    """Run the app service: GET /health. Logs JSON lines to stderr."""
    run.output.json = True  # an error is one more JSON line of the log
    start_seconds = seconds("--start-timeout", start_timeout, zero=True)
    drain_seconds = _drain_delay(drain_delay)
    warnings: list[str] = []
    run.output.warn_by(warnings.append)
    service = run.container.service
    log = service.log(access_log)
    run.output.warn_by(log.warning)
    for text in warnings:
        log.warning(text)
    params = run.service_target.params
    with service.pid_lock(pid_file):
        database = service.database(params)
        run_service(
            database=database,
            params=params,
            run=service.http(database, params, log, drain_delay=drain_seconds),
            log=log,
            start_timeout=start_seconds,
        )


def _drain_delay(text: str) -> float:
    found = seconds("--drain-delay", text, zero=True)
    if found > LONGEST_DRAIN_SECONDS:
        raise MalformedParameters(
            f"--drain-delay is {text!r}, more than {LONGEST_DRAIN_SECONDS:g} s: requests in flight need the rest of the"
            " time that a container is given to stop",
            hint=f"--drain-delay {LONGEST_DRAIN_SECONDS:g}s",
        )
    return found
