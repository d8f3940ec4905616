"""kinetria health."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.usecases.health import check_health, wait_healthy


@command
def health(
    run: Run,
    wait: Annotated[str, typer.Option("--wait", metavar="DURATION", help="Go on checking until healthy.")] = "0",
    deep: Annotated[bool, typer.Option("--deep", help="Also the schema and the records, as db check does.")] = False,
) -> None:
    """Ask every part whether it works; exit 1 when one does not."""
    run.check_target()
    ports = run.container.health.ports(deep=deep)
    report = wait_healthy(
        lambda: check_health(ports),
        seconds=seconds("--wait", wait, zero=True),
        waiting_for=lambda what: run.output.warn(f"waiting: {what}"),
    )
    run.finish(report, exit_code=0 if report.passed else 1)
