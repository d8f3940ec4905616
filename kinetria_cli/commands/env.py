"""kinetria env."""

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.environment import shell_environment


@command(json_variable=False)
def env(run: Run) -> None:
    """Print the connection as shell lines: eval "$(kinetria env)", then psql. Holds the password."""
    record = run.container.record
    http_port = record.http_port if run.target.own and record else run.container.settings.http_port
    run.finish(shell_environment(run.target.params, http_port=http_port, passfile=run.container.passfile()))
