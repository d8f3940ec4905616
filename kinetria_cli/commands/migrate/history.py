"""kinetria migrate history."""

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.migrate import migration_history


@command
def history(run: Run) -> None:
    """List everything that was ever applied: when, by whom, how long, with which version, and what was undone."""
    run.finish(migration_history(migrations=run.container.migrations(run.target.params)))
