"""What a statement outside a transaction left behind when it did not come to its end."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import psycopg

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration import MigrationEntry, MigrationState
from kinetria_cli.gateways.migrations.bookkeeping import read_texts
from kinetria_cli.gateways.migrations.content import concurrent_index, parse_sql
from kinetria_cli.gateways.migrations.locks import lock_needs
from kinetria_cli.gateways.migrations.sqltext import Statement


class IndexState(StrEnum):
    """Of the index that a statement makes or drops; `UNKNOWN` where it is another kind of statement."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is there now.

    Args:
        index: The index's name as the statement writes it, or None.
        state: Of that index.
        creates: Whether the statement makes it; else it drops it.
        whole: Whether the statement failed as a whole: the server refused it before it began, or undid all of it.
    """

    index: str | None
    state: IndexState
    creates: bool
    whole: bool = False

    @property
    def invalid(self) -> bool:
        """Whether an index is there that nothing may rely on."""
        return self.state is IndexState.INVALID

    @property
    def harmless(self) -> bool:
        """Whether a statement that failed is known to have had no effect."""
        return self.whole or self.state in (IndexState.VALID, IndexState.ABSENT)

    @property
    def untouched(self) -> bool:
        """Whether what the statement makes is not there yet, or what it drops is there still."""
        return self.state is (IndexState.ABSENT if self.creates else IndexState.VALID)

    @property
    def finished(self) -> bool:
        """Whether what the statement wanted is there."""
        return self.state is (IndexState.VALID if self.creates else IndexState.ABSENT)

    @property
    def drop(self) -> str:
        """The statement that removes the invalid index."""
        return f"DROP INDEX CONCURRENTLY {self.index}"

    @property
    def outcome(self) -> str:
        """How a failed run ended, to go on with "failed ..."."""
        if self.harmless:
            return "and had no effect. The database is as before it."
        if self.invalid:
            return f"and left the index {self.index} invalid."
        return "outside a transaction; what it did before that stays."

    @property
    def hint(self) -> str:
        """The exact repair."""
        if self.invalid:
            return f"mend the cause; then kinetria migrate repair ({self.drop}), then kinetria migrate"
        return "look what it did; then kinetria migrate repair --as applied, or --as pending"

    @property
    def belies_success(self) -> bool:
        """Whether a statement that ended without an error did not make what it says."""
        return self.invalid or (self.creates and self.state is IndexState.ABSENT)

    def conflict(self, migration_id: str) -> MigrationConflict:
        """The error of a run that ended without an error and still did not make the index valid."""
        what = "not valid" if self.invalid else "not there"
        return MigrationConflict(
            f"{migration_id} ran, but its index {self.index} is {what}; it is not recorded as applied",
            hint=self.hint if self.invalid else "kinetria migrate repair; then look at the name in the statement",
        )


_REFUSED = ("42", "3D000", "3F000", "25001")
"""Classes of errors about the statement itself: its syntax, and names that are not there (manual, appendix A)."""
_SEVERAL_TRANSACTIONS = frozenset({"ANALYSE", "ANALYZE", "CALL", "CLUSTER", "DO", "REINDEX", "VACUUM"})
_OF_THE_SERVER = frozenset({"DATABASE", "SUBSCRIPTION", "SYSTEM", "TABLESPACE"})


def look_after(connection: psycopg.Connection[Any], statement: Statement, error: psycopg.Error) -> Leftover:
    """Return what a statement left behind that failed outside a transaction."""
    leftover = look_at(connection, statement)
    return leftover if leftover.index else replace(leftover, whole=_failed_as_a_whole(statement, error))


def _failed_as_a_whole(statement: Statement, error: psycopg.Error) -> bool:
    words = statement.words
    if "CONCURRENTLY" not in words and words[0] not in _SEVERAL_TRANSACTIONS and not _OF_THE_SERVER & set(words[1:2]):
        return True  # one transaction, whatever the error
    # With a context it comes out of a body, which may have committed before.
    return (error.sqlstate or "").startswith(_REFUSED) and error.diag.context is None


def look_at(connection: psycopg.Connection[Any], statement: Statement) -> Leftover:
    """Return what a statement's index is like now."""
    name = concurrent_index(statement)
    creates = statement.words[0] == "CREATE"
    if name is None:
        return Leftover(None, IndexState.UNKNOWN, creates)
    # A new index lies in the schema of its table, wherever the name alone would be looked for.
    row = connection.execute(
        """
        SELECT i.indisvalid, pg_catalog.format('%%I.%%I', n.nspname, c.relname)
        FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE CASE WHEN %(table)s::text IS NULL THEN i.indexrelid = pg_catalog.to_regclass(%(name)s)
              ELSE i.indrelid = pg_catalog.to_regclass(%(table)s)
                  AND c.relname = (pg_catalog.parse_ident(%(name)s))[cardinality(pg_catalog.parse_ident(%(name)s))] END
        """,
        {"name": name, "table": _table_of(statement) if creates else None},
    ).fetchone()
    if row is None:
        return Leftover(name, IndexState.ABSENT, creates)
    return Leftover(row[1].removeprefix("public."), IndexState.VALID if row[0] else IndexState.INVALID, creates)


def _table_of(statement: Statement) -> str | None:
    """The table that an index is made on, as the statement writes it."""
    needs = lock_needs(statement)
    return needs[0].relation if needs else None


def leftover_of(connection: psycopg.Connection[Any], migration_id: str, *, undoing: bool) -> Leftover:
    """Return what a migration that is recorded as begun left behind.

    Args:
        connection: To the database.
        migration_id: The migration.
        undoing: Whether it was being rolled back.
    """
    texts = read_texts(connection, migration_id)
    text = None if texts is None else texts.rollback_text if undoing else texts.text
    if text is None:
        return Leftover(None, IndexState.UNKNOWN, not undoing)
    return look_at(connection, parse_sql(Path(f"{migration_id}.sql"), text).statements[0])


def explain(connection: psycopg.Connection[Any], entry: MigrationEntry) -> MigrationEntry:
    """Return a dirty entry with what its run left behind and the exact repair."""
    leftover = leftover_of(connection, entry.id, undoing=entry.applied_at is not None)
    found = {
        IndexState.VALID: f"the index {leftover.index} is there and valid",
        IndexState.INVALID: f"the index {leftover.index} is invalid",
        IndexState.ABSENT: f"the index {leftover.index} is not there",
        IndexState.UNKNOWN: "nobody can tell what it did",
    }[leftover.state]
    mend = "kinetria migrate repair"
    if leftover.invalid:
        mend += f", which runs {leftover.drop}"
    elif leftover.index is None:
        mend += " --as applied, or --as pending"
    return replace(entry, detail=f"{entry.detail}; {found}", mend=mend)


def under_way(entry: MigrationEntry, holder: str) -> MigrationEntry:
    """Return an entry that looks dirty while the run that began it is alive as what it is until that one ends."""
    if entry.applied_at is None:
        return replace(entry, state=MigrationState.PENDING, detail=f"being applied by {holder}", mend=None)
    return replace(entry, state=MigrationState.APPLIED, detail=f"being rolled back by {holder}", mend=None)
