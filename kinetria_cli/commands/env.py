"""kinetria env."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.environment import ShellUnset, shell_environment


@command(json_variable=False)
def env(
    run: Run,
    own: Annotated[
        bool, typer.Option("--own", help="The stack that kinetria up started, whatever DB_* or DATABASE_URL name.")
    ] = False,
    unset: Annotated[bool, typer.Option("--unset", help="Print the lines that remove the variables again.")] = False,
) -> None:
    """Print the connection as shell lines: eval "$(kinetria env)", then psql. Holds the password.

    If an earlier kinetria env set the variables and nothing changed them, it prints the project's stack as it is now.
    """
    if own and unset:
        raise MalformedParameters("--own and --unset exclude each other", hint="kinetria env --help")
    if unset:
        run.finish(ShellUnset())
        return
    if own or run.environment_is_exported():
        run.ignore_named_database()
    container = run.container
    record = container.record if run.target.own else None
    run.finish(
        shell_environment(
            run.target.params,
            http_port=record.http_port if record else container.settings.http_port,
            passfile=container.passfile(),
            own_project=record.project if record and record.database == run.target.params else None,
            cleared=["DB_PASSWORD_FILE"] if "DB_PASSWORD_FILE" in container.settings.raw else [],
        )
    )
