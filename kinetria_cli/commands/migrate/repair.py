"""kinetria migrate repair."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import DryRunOption, YesOption
from kinetria_cli.usecases.repair import repair as mend


@command(writes=True)
def repair(
    run: Run,
    decide: Annotated[
        str | None,
        typer.Option("--as", metavar="applied|pending", help="What became of a run that nobody else can tell about."),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Mend the bookkeeping, after saying how: interrupted runs, missing and renamed files, changes in comments."""
    result = mend(
        migrations=run.container.listening_migrations(run.primary.params),
        prompt=run.prompt,
        decide=decide,
        dry_run=dry_run,
        yes=yes,
        tell=run.tell,
    )
    run.finish(result, change=not dry_run)
