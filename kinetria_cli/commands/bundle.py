"""The support bundle of `kinetria doctor --bundle`."""

import os.path
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kinetria_cli.commands.base import Run
from kinetria_cli.domain.bundle import BundleReport
from kinetria_cli.domain.redaction import Scrubber
from kinetria_cli.usecases.bundle import make_bundle
from kinetria_cli.usecases.bundle_parts import BundlePorts, bundle_parts
from kinetria_cli.usecases.doctor.walk import diagnose
from kinetria_cli.usecases.health import check_health
from kinetria_cli.usecases.migrate import migration_history, migration_status
from kinetria_cli.usecases.status import stack_status

DEFAULT_LINES = 200
PART_SECONDS = 20.0
"""How long the parts are waited for: longer than a part takes whose every step runs into its own deadline of 5 s."""


def write_bundle(run: Run, path: Path, *, lines: int | None, force: bool) -> BundleReport:
    """Write everything that helps somebody else to help, without secrets.

    Args:
        run: The run of the command.
        path: The archive.
        lines: How many of the last log lines of each service; None is the usual number.
        force: Whether to replace what is there.

    Raises:
        MalformedParameters: The archive's name has an ending that we cannot write.
        Refused: Something is there already.
        FileUnwritable: It cannot be written.
    """
    tools = run.bundle_tools()
    parts = bundle_parts(_ports(run), tools, lines=DEFAULT_LINES if lines is None else lines)
    scrubber = Scrubber(run.secrets(), folders=_home())
    return make_bundle(parts, path, scrubber=scrubber, archive=tools.archive, seconds=PART_SECONDS, force=force)


def _home() -> dict[str, str]:
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111 - Path's raises where there is none
    return {home: "~"} if home.startswith("/") else {}


def _ports(run: Run) -> BundlePorts:
    # A container for each part: they are read at the same time, and none may wait for what another one hangs in.
    return BundlePorts(
        settings=run.shown_settings,
        engine=lambda: replace(run.container).engine,
        engine_versions=lambda: replace(run.container).bundle.engine_versions(),  # noqa: PLW0108 - read later
        status=lambda: _status(run),
        migrations=lambda: _migrations(run, migration_status),
        history=lambda: _migrations(run, migration_history),
        health=lambda: check_health(replace(run.container).health.ports()),
        doctor=lambda: diagnose(lambda: _doctor(run)),
        database=lambda: _database(run),
        encode=run.encode,
    )


def _doctor(run: Run) -> Any:
    return replace(run.container).doctor.ports()


def _status(run: Run) -> Any:
    container = replace(run.container)
    return stack_status(
        engine=container.engine,
        record=container.record,
        target=container.target_or_none(),
        project=container.settings.project,
        environment=container.settings.environment,
        database_for=lambda found: container.database(found.params),
        migrations_for=lambda found: container.migrations(found.params),
        probe=container.probe,
        timeout=container.settings.request_timeout,
    )


def _migrations(run: Run, read: Callable[..., Any]) -> Any:
    container = replace(run.container)
    return read(migrations=container.migrations(container.target.params))


def _database(run: Run) -> Any:
    container = replace(run.container)
    return container.bundle.database(container.target.params)
