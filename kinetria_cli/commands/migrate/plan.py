"""kinetria migrate plan."""

from pathlib import Path
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import AllowOutOfOrderOption, StepsOption, ToOption
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.migrate import plan as make_plan


@command
def plan(
    run: Run,
    to: ToOption = None,
    steps: StepsOption = None,
    allow_out_of_order: AllowOutOfOrderOption = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run it on a server of its own, and report locks, rewrites and times.")
    ] = False,
    dump: Annotated[
        Path | None,
        typer.Option("--dump", metavar="FILE", help="What --measure fills that server with; else demo records."),
    ] = None,
) -> None:
    """Print the SQL that kinetria migrate would run, in order, and what is to be said about it. Writes nothing."""
    if dump is not None and not measure:
        raise MalformedParameters("--dump is for --measure", hint="add --measure")
    container = run.container
    tools = container.migration_tools
    result = make_plan(
        migrations=container.migrations(run.target.params),
        linter=tools.linter(run.target.params),
        to=to,
        steps=steps,
        allow_out_of_order=allow_out_of_order,
        measure=tools.measurer(run.target.params, container.probe, container.seeds.insert_demo, run.tell)
        if measure
        else None,
        dump=dump,
    )
    run.finish(result)
