"""kinetria up."""

from typing import Annotated, Literal

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import LockWaitOption, YesOption
from kinetria_cli.usecases.up import UpRequest, bring_up


@command(database=False, writes=True)
def up(
    run: Run,
    engine: Annotated[Literal["auto", "docker", "embedded"] | None, typer.Option(help="What runs the stack.")] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="PROFILE", help="Load a profile: minimal or demo.")
    ] = None,
    no_migrate: Annotated[bool, typer.Option("--no-migrate", help="Leave the schema as it is.")] = False,
    no_app: Annotated[bool, typer.Option("--no-app", help="Start the database alone.")] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="How long to wait until healthy.")
    ] = "60s",
    db_port: Annotated[int | None, typer.Option("--db-port", min=1, max=65535, help="Insist on this port.")] = None,
    http_port: Annotated[int | None, typer.Option("--http-port", min=1, max=65535, help="Insist on this port.")] = None,
    random_seed: Annotated[int, typer.Option("--random-seed", help="For --seed.")] = 42,
    lock_wait: LockWaitOption = "30s",
    yes: YesOption = False,  # noqa: ARG001 - every command that writes takes it; this one never asks
) -> None:
    """Start PostgreSQL and the app, migrate, and wait until all of it is healthy."""
    given_port = None if http_port is None else str(http_port)
    run.given({"KINETRIA_ENGINE": ("--engine", engine), "HTTP_PORT": ("--http-port", given_port)})
    settings = run.container.settings
    request = UpRequest(
        database_port=db_port,
        http_port=settings.http_port if settings.http_port_given else None,
        migrate=not no_migrate,
        app=not no_app,
        seed_profile=seed,
        random_seed=random_seed,
        timeout=seconds("--timeout", timeout),
        lock_wait=seconds("--lock-wait", lock_wait, zero=True),
    )
    result = bring_up(
        request,
        engine=run.container.engine,
        engine_reason=run.container.engine_reason,
        migrations_for=run.container.migrations,
        database_for=run.container.database,
        app_environment=run.container.app_environment,
        progress=run.output.progress(),
    )
    run.finish(result)
