"""What is run, and how."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from kinetria_cli.domain.migration import OnNotice, Tell
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts
from kinetria_cli.gateways.migrations.content import SqlFile


class RunAgain(Exception):
    """The file has to run once more, in a new transaction; says why."""


class Keeper(Protocol):
    """Stands around a file's statements, in their transaction."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that it made."""
        ...

    def before(self, connection: psycopg.Connection[Any]) -> None:
        """Is called before the first statement."""
        ...

    def after(self, connection: psycopg.Connection[Any]) -> None:
        """Is called after the last statement; may refuse what they did, or raise `RunAgain`."""
        ...

    def undone(self) -> None:
        """Is called when the transaction certainly did not take place."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One file to run.

    Args:
        id: The migration.
        direction: `apply` or `rollback`.
        file: What runs.
        texts: What is recorded when it is applied; not needed to roll back.
        keeper: Keeps what the file destroys.
    """

    id: str
    direction: str
    file: SqlFile
    texts: FileTexts | None = None
    keeper: Keeper | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How files are run.

    Args:
        version: Of the tool, for the record.
        lock_timeout: Seconds that a statement of a transactional file waits for a lock; 0 waits for ever.
        statement_timeout: Seconds that a statement may take; None is for ever, whatever the server's own setting.
        kill_point: Called at named places; tests end the process there.
        tell: Takes what is worth reading while a run goes on.
        on_notice: Takes what the server reports while a file runs.
    """

    version: str
    lock_timeout: float
    statement_timeout: float | None
    kill_point: Callable[[str], None]
    tell: Tell
    on_notice: OnNotice
