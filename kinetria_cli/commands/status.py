"""kinetria status."""

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.status import stack_status


@command
def status(run: Run) -> None:
    """Show everything on one screen: services, addresses, migrations, records."""
    container = run.container
    target = container.target_or_none()
    if target is not None:
        run.check_target()
    result = stack_status(
        engine=container.engine,
        record=container.record,
        target=target,
        project=container.settings.project,
        environment=container.settings.environment,
        database_for=lambda found: container.database(found.params),
        migrations_for=lambda found: container.migrations(found.params),
        probe=container.probe,
        timeout=container.settings.request_timeout,
    )
    run.finish(result)
