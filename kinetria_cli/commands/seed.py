"""kinetria seed."""

from contextlib import closing
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import DryRunOption, YesOption
from kinetria_cli.usecases.seed import seed as run_seed


@command(writes=True)
def seed(
    run: Run,
    profile: Annotated[str, typer.Option("--profile", metavar="NAME", help="minimal or demo.")] = "demo",
    random_seed: Annotated[int, typer.Option("--random-seed", help="The same number gives the same records.")] = 42,
    dry_run: DryRunOption = False,
    yes: YesOption = False,  # noqa: ARG001 - every command that writes takes it; this one never asks
) -> None:
    """Insert a profile's records that are not there yet; running it again changes nothing."""
    params = run.target.params
    with closing(run.container.database(params)) as database:
        result = run_seed(
            profile,
            random_seed=random_seed,
            database=database,
            migrations=run.container.migrations(params),
            dry_run=dry_run,
        )
    run.finish(result)
