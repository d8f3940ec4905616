"""kinetria migrate: alone it applies; what stands below it is one file each."""

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.lazy import LazyCommand, lazy_group
from kinetria_cli.commands.options import LockWaitOption, YesOption
from kinetria_cli.usecases.migrate import migrate

_AT = "kinetria_cli.commands.migrate"
COMMANDS = (
    LazyCommand("status", f"{_AT}.status:status", "List every migration and its state. Writes nothing."),
    LazyCommand("rollback", f"{_AT}.rollback:rollback", "Undo the newest migrations, after asking."),
)

app = typer.Typer(cls=lazy_group(COMMANDS), rich_markup_mode=None, add_completion=False)


@app.callback(invoke_without_command=True)
@command(writes=True)
def apply(run: Run, lock_wait: LockWaitOption = "30s", yes: YesOption = False) -> None:  # noqa: ARG001 - asks nothing
    """Apply what is pending; the commands below look at and undo what is applied."""
    wait_seconds = seconds("--lock-wait", lock_wait, zero=True)
    run.finish(migrate(migrations=run.container.migrations(run.target.params), lock_wait=wait_seconds))
