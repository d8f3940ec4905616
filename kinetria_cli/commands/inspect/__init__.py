"""kinetria inspect: one command an entity."""

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.inspect import entities
from kinetria_cli.commands.lazy import Group

app = typer.Typer(
    cls=Group, help="Read the records.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@app.callback()
@command
def inspect(run: Run) -> None:
    """Read the records: a list, or one by its id."""


app.command("users")(entities.users)
app.command("workouts")(entities.workouts)
app.command("exercises")(entities.exercises)
app.command("sessions")(entities.sessions)
app.command("set-records")(entities.set_records)
app.command("refresh-tokens")(entities.refresh_tokens)
app.command("audit-log")(entities.audit_log)
