"""The root of the command line: one line a command."""

from typing import Annotated

import typer

from kinetria_cli import __version__
from kinetria_cli.commands import config, inspect, migrate
from kinetria_cli.commands.base import (
    CommonOptions,
    EnvFileOption,
    JsonOption,
    NoColorOption,
    QuietOption,
    VerboseOption,
)
from kinetria_cli.commands.down import down
from kinetria_cli.commands.env import env
from kinetria_cli.commands.health import health
from kinetria_cli.commands.logs import logs
from kinetria_cli.commands.seed import seed
from kinetria_cli.commands.serve import serve
from kinetria_cli.commands.status import status
from kinetria_cli.commands.up import up

app = typer.Typer(
    name="kinetria",
    # Both would import rich, which costs more than the rest of --help together.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kinetria {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
    env_file: EnvFileOption = None,
    no_color: NoColorOption = False,
) -> None:
    """Run, migrate, check, seed and inspect the Kinetria backend's stack."""
    ctx.obj = CommonOptions(json, quiet, verbose, env_file, no_color)


app.command()(up)
app.command()(down)
app.command()(status)
app.command()(logs)
app.command()(env)
app.add_typer(migrate.app, name="migrate")
app.command()(health)
app.command()(seed)
app.add_typer(inspect.app, name="inspect")
app.command()(serve)
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line and exit with its code."""
    app(prog_name="kinetria")
