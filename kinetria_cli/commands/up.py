"""kinetria up."""

from dataclasses import replace
from typing import Annotated, Literal

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import LockWaitOption, YesOption, completing
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.engine import check_engine
from kinetria_cli.usecases.profiles import PROFILES
from kinetria_cli.usecases.target import elsewhere_after_up
from kinetria_cli.usecases.up import UpRequest, bring_up


@command(database=False, writes=True)
def up(
    run: Run,
    engine: Annotated[Literal["auto", "docker", "embedded"] | None, typer.Option(help="What runs the stack.")] = None,
    seed: Annotated[
        str | None,
        typer.Option(
            "--seed",
            metavar="PROFILE",
            help="Load a profile: minimal, demo, load or FILE.",
            autocompletion=completing(PROFILES),
        ),
    ] = None,
    no_migrate: Annotated[bool, typer.Option("--no-migrate", help="Leave the schema as it is.")] = False,
    no_app: Annotated[bool, typer.Option("--no-app", help="Start the database alone.")] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="How long to wait until healthy.")
    ] = "60s",
    build: Annotated[bool, typer.Option("--build", help="Build the app's image anew; only with docker.")] = False,
    reset_password: Annotated[
        bool, typer.Option("--reset-password", help="Give the database the password on file; the data stay.")
    ] = False,
    carry: Annotated[
        bool, typer.Option("--carry", help="With --engine: take the data of the other engine along.")
    ] = False,
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
        build=build,
        reset_password=reset_password,
        seed_profile=seed,
        random_seed=random_seed,
        production=settings.production,
        timeout=seconds("--timeout", timeout),
        lock_wait=seconds("--lock-wait", lock_wait, zero=True),
    )
    engines = run.container.engines
    if damage := engines.damage():
        run.tell(f"{damage}; looking for what runs without it")
    if carry and settings.engine == "auto":
        raise MalformedParameters("--carry does not say where to", hint="kinetria up --engine docker --carry")
    carrier = run.container.carrier if carry else None
    if carrier is None:
        check_engine(settings.engine, holder=engines.holder, superseded=engines.superseded, project=settings.project)
    target = run.container.engine if carrier is None else engines.named(settings.engine)
    result = bring_up(
        request,
        engine=target,
        engine_reason=engines.choice.reason,
        migrations_for=run.container.migrations,
        database_for=run.container.database,
        seeding_for=run.container.seeds.of_stack,
        app_environment=engines.app_environment,
        progress=run.output.progress(),
        carrier=carrier,
    )
    warning = elsewhere_after_up(settings.ignored, target.record(), exported=settings.exported)
    if warning is not None:
        run.tell(warning)
    run.finish(replace(result, elsewhere=warning is not None), change=True)
