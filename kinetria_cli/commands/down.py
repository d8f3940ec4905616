"""kinetria down."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import ConfirmOption, YesOption
from kinetria_cli.usecases.down import take_down


@command(database=False, writes=True)
def down(
    run: Run,
    volumes: Annotated[bool, typer.Option("--volumes", help="Delete the data too, after asking.")] = False,
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Stop the app and PostgreSQL; the data stay."""
    engines = run.container.engines
    result = take_down(
        engine=run.container.engine,
        older=[engines.named(name) for name in engines.superseded],
        progress=run.output.progress(),
        prompt=run.prompt,
        production=run.container.settings.production,
        volumes=volumes,
        yes=yes,
        confirm=confirm,
    )
    run.finish(result, change=True)
