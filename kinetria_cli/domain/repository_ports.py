"""The ports of the records: one repository an entity."""

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.export import Chunks, Export
from kinetria_cli.domain.records import Filters, Page, Sort
from kinetria_cli.domain.trails import Trails

E = TypeVar("E")

MAX_LIMIT = 1000
"""The most records that a page holds."""


class Repository(Protocol[E]):
    """The records of one entity.

    Every method raises DatabaseUnreachable or LoginRefused when the database cannot be used, and SchemaMissing
    when the table is not there.
    """

    def get(self, record_id: UUID) -> E:
        """Return the record with this id.

        Raises:
            RecordNotFound: There is none.
        """
        ...

    def get_many(self, ids: Iterable[UUID]) -> dict[UUID, E]:
        """Return those of the ids that exist, by id."""
        ...

    def with_prefix(self, prefix: str, *, limit: int) -> tuple[E, ...]:
        """Return up to `limit` records whose id begins with these hexadecimal digits, by id.

        Raises:
            MalformedParameters: It is not the beginning of an id.
        """
        ...

    def list(self, filters: Filters, *, limit: int, after: str | None = None, sort: Sort | None = None) -> Page[E]:
        """Return up to `limit` records that match, behind the cursor `after`; newest first unless `sort` says else.

        Raises:
            MalformedParameters: An unknown filter or column, a limit that is not from 1 to MAX_LIMIT, or a cursor
                that is not of this list in this order.
        """
        ...

    def count(self, filters: Filters) -> int:
        """Count the records that match.

        Raises:
            MalformedParameters: An unknown filter.
        """
        ...

    def export(self, wanted: Export) -> Chunks:
        """Yield the records that match as they are written, in constant memory; to be closed by who does not read on.

        Raises:
            MalformedParameters: An unknown filter or column, or a limit below 1.
            QueryFailed: The server gave up, as by its statement_timeout.
        """
        ...

    def exists(self, record_id: UUID) -> bool:
        """Whether there is a record with this id."""
        ...

    def add(self, record: E) -> None:
        """Store a new record.

        Raises:
            RecordConflict: A constraint refuses it.
        """
        ...

    def add_many(self, records: Iterable[E]) -> int:
        """Store new records in one go, all or none; return how many that were.

        Raises:
            RecordConflict: A constraint refuses one of them; none was stored.
        """
        ...

    def add_missing(self, records: Iterable[E]) -> int:
        """Store the records whose id is not there yet; return how many that were.

        Raises:
            RecordConflict: A constraint other than the primary key refuses one of them.
        """
        ...

    def delete(self, record_id: UUID) -> None:
        """Delete the record; what hangs on it goes or refuses as the schema says.

        Raises:
            RecordNotFound: There is none.
            RecordConflict: Another record needs it.
        """
        ...


class Repositories(Protocol):
    """The seven repositories, and the answers about several of them, over one source of connections."""

    @property
    def users(self) -> Repository[User]:
        """The members."""
        ...

    @property
    def workouts(self) -> Repository[Workout]:
        """The plans."""
        ...

    @property
    def exercises(self) -> Repository[Exercise]:
        """The catalogue."""
        ...

    @property
    def sessions(self) -> Repository[Session]:
        """The visits."""
        ...

    @property
    def set_records(self) -> Repository[SetRecord]:
        """The sets."""
        ...

    @property
    def refresh_tokens(self) -> Repository[RefreshToken]:
        """The logins."""
        ...

    @property
    def audit_log(self) -> Repository[AuditLog]:
        """Who did what."""
        ...

    @property
    def trails(self) -> Trails:
        """What hangs on records, counted and added up."""
        ...
