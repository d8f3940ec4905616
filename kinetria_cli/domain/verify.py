"""What `migrate verify` finds, as values, and what it works with."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from kinetria_cli.domain.catalog import Difference, Fingerprint
from kinetria_cli.domain.definitions import Definitions


@dataclass(frozen=True, slots=True)
class FileToProve:
    """A migration by its id, and whether it has a file that undoes it."""

    id: str
    reversible: bool


@dataclass(frozen=True, slots=True)
class RollbackProof:
    """What came of applying one migration, undoing it and applying it again.

    Args:
        id: The migration.
        exact: Whether the database was as before; None where no file undoes it.
        differences: What the rollback left other than it was; or, where `problem` says so, the second applying.
        seconds: How long it took.
        problem: What is wrong beside or instead of a difference that the rollback left.
        details: Further lines of it: a statement's place and the server's words.
    """

    id: str
    exact: bool | None
    differences: tuple[Difference, ...]
    seconds: float
    problem: str | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The proofs in order. `exact` says whether every rollback is, and all of them in one go.

    Args:
        migrations: One proof a file.
        place: Where it was done.
        seconds: How long it took.
        whole: What differed after all were undone in one go, or after all were applied again.
    """

    kind: ClassVar[str] = "migrate.verify"
    migrations: tuple[RollbackProof, ...]
    place: str
    seconds: float
    whole: tuple[Difference, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether everything is proven."""
        return not self.whole and all(proof.exact for proof in self.migrations)

    def as_data(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "migrations": self.migrations,
            "exact": self.exact,
            "place": self.place,
            "seconds": self.seconds,
            "whole": self.whole,
        }


class ScratchDatabase(Protocol):
    """A throw-away database, empty at first, and the migrations against it."""

    def apply(self, to: str) -> None:
        """Apply what is pending, up to a migration.

        Raises:
            MigrationFailed: A statement failed; its file was rolled back.
            NotOnServer: It failed because an embedded server lacks a role or an extension.
        """
        ...

    def roll_back(self, ids: tuple[str, ...]) -> None:
        """Undo the newest migrations, newest first. Raises as `apply`."""
        ...

    def fingerprint(self) -> Fingerprint:
        """Return what is in the database, without the tool's own bookkeeping."""
        ...

    def definitions(self, objects: Collection[str]) -> Definitions:
        """Return what these objects, by their names in the fingerprint, are made of."""
        ...


class ScratchServer(Protocol):
    """A server on which databases can be made and dropped again.

    `place` says where, for people.
    """

    place: str

    def database(self) -> AbstractContextManager[ScratchDatabase]:
        """Make an empty database for the block."""
        ...


class Workbench(Protocol):
    """The migrations folder, and a place to try it out on that holds nobody's data."""

    def files(self, to: str | None) -> tuple[FileToProve, ...]:
        """Return the migrations up to one, by its id or number, or all; every file of them was read and checked.

        Raises:
            MigrationFileInvalid: The folder or a file breaks a rule.
            MalformedParameters: There is no such migration.
        """
        ...

    def server(self, ids: tuple[str, ...]) -> AbstractContextManager[ScratchServer]:
        """Open a place to try these migrations for the block.

        Raises:
            PrivilegeMissing, DatabaseReadOnly, EngineUnavailable: There is none; the message says why one was needed.
            EngineFailed, WaitTimedOut: The embedded server did not start.
        """
        ...

    def target_fingerprint(self) -> Fingerprint:
        """Return what is in the database that the settings name; nothing is written.

        Raises:
            ConfigMissing: They name none.
        """
        ...

    def target_definitions(self, objects: Collection[str], *, counted: Collection[str]) -> Definitions:
        """Return what these objects of that database are made of.

        Args:
            objects: By their names in the fingerprint.
            counted: The tables and columns of which the rows or values are counted too.
        """
        ...
