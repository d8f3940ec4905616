"""kinetria doctor."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import DryRunOption, YesOption
from kinetria_cli.domain.doctor import Diagnosis
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.doctor.fix import fix as mend
from kinetria_cli.usecases.doctor.walk import diagnose
from kinetria_cli.usecases.doctor.ways import of_file


def refuse_beside_bundle(given: Mapping[str, bool]) -> None:
    """Refuse options of the walk that would not count: a bundle mends nothing.

    Raises:
        MalformedParameters: One is given.
    """
    for option in (name for name, there in given.items() if there):
        raise MalformedParameters(f"--bundle mends nothing, so {option} would not count", hint="leave one of them out")


def refuse_without_bundle(given: Mapping[str, bool]) -> None:
    """Refuse options of a bundle where none is written.

    Raises:
        MalformedParameters: One is given.
    """
    for option in (name for name, there in given.items() if there):
        raise MalformedParameters(f"{option} is for --bundle alone", hint="kinetria doctor --bundle bundle.tar.gz")


@command(writes=True)
def doctor(
    run: Run,
    fix: Annotated[
        bool, typer.Option("--fix", help="Run the command where it loses nothing, after asking, and look again.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write what helps to help, without secrets: .tar.gz or .zip."),
    ] = None,
    log_lines: Annotated[
        int | None, typer.Option("--log-lines", min=0, help="Of --bundle: the last lines of each log; 200.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Of --bundle: replace the file that is there.")] = False,
) -> None:
    """Walk from the settings to the service, and name the one cause and the command that mends it."""

    if bundle is not None:
        from kinetria_cli.commands.bundle import write_bundle

        refuse_beside_bundle({"--fix": fix, "--dry-run": dry_run, "--yes": yes})
        run.finish(write_bundle(run, bundle, lines=log_lines, force=force))
        return
    refuse_without_bundle({"--log-lines": log_lines is not None, "--force": force})

    def walk() -> Diagnosis:
        # Also where the settings cannot be read, which is the first link.
        found = diagnose(lambda: run.fresh_container().doctor.ports())  # noqa: PLW0108
        file = run.options.env_file
        return replace(found, command=of_file(found.command, file)) if found.command and file else found

    def execute(text: str) -> int:
        return run.container.doctor.run(text)

    found = mend(walk, run=execute, prompt=run.prompt, yes=yes, dry_run=dry_run) if fix else walk()
    run.finish(found, exit_code=0 if found.well else 1)
