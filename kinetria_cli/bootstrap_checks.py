"""The part of the composition root that makes what looks at a database as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.settings import Settings

if TYPE_CHECKING:
    from kinetria_cli.domain.check import CheckReport
    from kinetria_cli.domain.check_ports import Inspector
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.usecases.checks.worse import RecordComparison
    from kinetria_cli.usecases.db_check import Drift

UNASKED_LOCK_SECONDS = 0.05


@dataclass(frozen=True)
class DatabaseChecks:
    """What looks at a database as a whole.

    Args:
        settings: Read and checked.
        connect: Returns what opens one connection in autocommit mode to a database, errors translated.
        drift: Returns what compares a database with its migrations.
    """

    settings: Settings
    connect: Callable[[ConnectionParams], Callable[[], AbstractContextManager[Any]]]
    drift: Callable[[ConnectionParams], Drift]

    def run(self, params: ConnectionParams, *, only: Iterable[str] = (), skip: Iterable[str] = ()) -> CheckReport:
        """Check a database. See `check_database`."""
        from kinetria_cli.usecases.db_check import check_database

        return check_database(inspector=self.inspector(params), drift=self.drift(params), only=only, skip=skip)

    def inspector(self, params: ConnectionParams) -> Inspector:
        """Return what reads the schema of a database, and looks for records that break a rule."""
        from kinetria_cli.gateways.postgres.checks.inspector import PostgresInspector

        return PostgresInspector(params, self.connect(params), lock_seconds=self.settings.request_timeout)

    def comparison(self, params: ConnectionParams, *, wanted: bool, tell: Tell) -> RecordComparison:
        """Return what compares the records before and after a migration. See `RecordComparison`."""
        from kinetria_cli.gateways.postgres.checks.inspector import PostgresInspector
        from kinetria_cli.gateways.postgres.errors import translated
        from kinetria_cli.usecases.checks.worse import RecordComparison

        def inspector(session: Any) -> Inspector:
            @contextmanager
            def opened() -> Iterator[Any]:
                with translated(params):
                    yield session

            # What nobody asked for does not wait for a table that somebody has locked.
            seconds = self.settings.request_timeout if wanted else UNASKED_LOCK_SECONDS
            return PostgresInspector(params, opened, lock_seconds=seconds)

        return RecordComparison(inspector, wanted=wanted, tell=tell)
