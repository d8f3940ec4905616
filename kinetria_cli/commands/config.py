"""kinetria config."""

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.lazy import Group
from kinetria_cli.domain.config import ConfigShown

app = typer.Typer(cls=Group, help="The settings.", rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
@command
def config(run: Run) -> None:
    """Show the settings and where each comes from."""


@app.command("show")
@command
def show(run: Run) -> None:
    """Print each setting with its value and origin; secrets only as set or not."""
    run.finish(ConfigShown(run.shown_settings()))
