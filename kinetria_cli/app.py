"""The root of the command line: one line a command."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from kinetria_cli import STARTED, __version__
from kinetria_cli.commands.lazy import LazyCommand, lazy_group
from kinetria_cli.commands.options import (
    CommonOptions,
    EnvFileOption,
    JsonOption,
    NoColorOption,
    QuietOption,
    VerboseOption,
)

GC_THRESHOLD = 50_000

_AT = "kinetria_cli.commands"
COMMANDS = (
    LazyCommand("up", f"{_AT}.up:up", "Start PostgreSQL and the app, migrate, wait until all is healthy."),
    LazyCommand("down", f"{_AT}.down:down", "Stop the app and PostgreSQL; the data stay."),
    LazyCommand("status", f"{_AT}.status:status", "Show everything on one screen."),
    LazyCommand("logs", f"{_AT}.logs:logs", "Print the log lines of PostgreSQL and the app."),
    LazyCommand("env", f"{_AT}.env:env", "Print the connection as shell lines."),
    LazyCommand("migrate", f"{_AT}.migrate:app", "Apply what is pending; look at and undo what is applied."),
    LazyCommand("health", f"{_AT}.health:health", "Ask every part whether it works."),
    LazyCommand("doctor", f"{_AT}.doctor:doctor", "Name the one cause where something does not work."),
    LazyCommand("seed", f"{_AT}.seed:seed", "Insert the records of a profile."),
    LazyCommand("inspect", f"{_AT}.inspect:app", "Read the records."),
    LazyCommand("db", f"{_AT}.db:app", "Check the database as a whole."),
    LazyCommand("serve", f"{_AT}.serve:serve", "Run the app service: GET /health."),
    LazyCommand("config", f"{_AT}.config:app", "Show the settings and where each comes from."),
)


class Root(lazy_group(COMMANDS)):  # type: ignore[misc]  # a class made by a function
    """The whole command line; alone it prints its help as a result, for that is what was asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the words of the command line."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="kinetria",
    cls=Root,
    # Both would import rich, which costs more than the rest of --help together.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
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
    started = ctx.obj.started if isinstance(ctx.obj, CommonOptions) else None
    ctx.obj = CommonOptions(json, quiet, verbose, env_file, no_color, started)


def main() -> None:
    """Run the command line and exit with its code."""
    # A command imports much and drops little: collecting on the way costs a tenth of its time and finds nothing.
    gc.set_threshold(GC_THRESHOLD)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (`>&-`): what is printed goes nowhere
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - open as long as the process
        # A stream of an older encoding shows what it cannot hold as a code, whoever writes: our lines, rich, typer.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    try:
        begun = CommonOptions(started=STARTED)
        code = get_command(app).main(prog_name="kinetria", standalone_mode=False, obj=begun)
        # What was imported need not be looked through once more on the way out.
        gc.freeze()
        sys.exit(code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except typer.TyperException as error:
        from kinetria_cli.commands.base import show_usage_error

        show_usage_error(error)
        sys.exit(error.exit_code)
    except OSError as error:
        from kinetria_cli.commands.base import show_unwritten

        sys.exit(show_unwritten(error))
