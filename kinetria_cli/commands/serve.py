"""kinetria serve."""

from pathlib import Path
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.serve import serve as run_service


@command(json_variable=False, json_option=False)
def serve(
    run: Run,
    pid_file: Annotated[
        Path | None, typer.Option("--pid-file", help="Hold a lock on this file, and write the process id into it.")
    ] = None,
) -> None:
    """Run the app service: GET /health. Logs JSON lines to stderr."""
    run.output.json = True  # an error is one more JSON line of the log
    container = run.container
    service = container.service
    params = run.target.params
    log = service.log()
    with service.pid_lock(pid_file):
        database = service.database(params)
        run_service(
            database=database,
            params=params,
            run=service.http(database.ping, log),
            log=log,
            address=f"{container.settings.http_host}:{container.settings.http_port}",
        )
