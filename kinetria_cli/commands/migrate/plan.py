"""kinetria migrate plan."""

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import AllowOutOfOrderOption, StepsOption, ToOption
from kinetria_cli.usecases.migrate import plan as make_plan


@command
def plan(
    run: Run,
    to: ToOption = None,
    steps: StepsOption = None,
    allow_out_of_order: AllowOutOfOrderOption = False,
) -> None:
    """Print the SQL that kinetria migrate would run, in order, and what is to be said about it. Writes nothing."""
    migrations = run.container.migrations(run.target.params)
    linter = run.container.migration_tools.linter(run.target.params)
    run.finish(
        make_plan(migrations=migrations, linter=linter, to=to, steps=steps, allow_out_of_order=allow_out_of_order)
    )
