"""What is recorded as applied: yoyo's tables, and our own beside them.

Read by SELECTs in a read-only transaction: yoyo has no reading call that writes nothing.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.gateways.migrations.session import SCHEMA
from kinetria_cli.gateways.pooling import pin

YOYO_TABLES = ("_yoyo_migration", "_yoyo_log", "_yoyo_version")
LOG_TABLE = "_yoyo_log"
TABLE = "_kinetria_migration"

_LIVE = "('applying', 'applied', 'rolling_back')"
_DEFINITION = (
    f"""
    CREATE TABLE public.{TABLE} (
        run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        migration_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('applying', 'applied', 'rolling_back', 'rolled_back', 'forgotten')),
        origin text NOT NULL CHECK (origin IN ('migrate', 'adopted', 'baseline')),
        checksum text NOT NULL,
        raw_checksum text NOT NULL,
        applied_text text NOT NULL,
        rollback_checksum text,
        rollback_raw_checksum text,
        rollback_text text,
        applied_by text NOT NULL,
        tool_version text NOT NULL,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        seconds double precision,
        undone_at timestamptz,
        undone_by text
    )
    """,
    f"CREATE UNIQUE INDEX {TABLE}_live ON public.{TABLE} (migration_id) WHERE state IN {_LIVE}",
    f"COMMENT ON TABLE public.{TABLE} IS 'What was applied, beside the marks of yoyo; nobody writes here but the tool'",
)


class Logged(NamedTuple):
    """The last line of yoyo's log about a migration: `apply`, `rollback`, `mark` or `unmark`, by whom, when (UTC)."""

    operation: str
    by: str
    at: datetime


class Record(NamedTuple):
    """What the database says about one migration.

    Args:
        id: The migration.
        marked: Whether yoyo's table has it.
        applied_at: UTC; None where only an intent is recorded.
        applied_by: user@host.
        state: Of our own row: `applying`, `applied` or `rolling_back`; None where there is no row yet.
        origin: Of our own row.
        checksum: Of the applied text, as `content.checksum`.
        raw_checksum: Of the applied file, as `content.raw_checksum`.
        rollback_checksum: Of the rollback file that lay beside it, or None.
        rollback_raw_checksum: The same, raw.
        logged: The last line of yoyo's log, where its mark is gone and our row says applied.
    """

    id: str
    marked: bool
    applied_at: datetime | None
    applied_by: str | None
    state: str | None = None
    origin: str | None = None
    checksum: str | None = None
    raw_checksum: str | None = None
    rollback_checksum: str | None = None
    rollback_raw_checksum: str | None = None
    logged: Logged | None = None

    @property
    def dirty(self) -> bool:
        """Whether a run outside a transaction never came to its end."""
        return self.state in ("applying", "rolling_back")


class Recorded(NamedTuple):
    """All records.

    Args:
        records: By id.
        yoyo_lock_pids: The rows that raw yoyo left in its lock table: process numbers.
        forgotten: What a repair forgot.
        rolled_back: What was applied here once and rolled back.
        log_missing: Whether yoyo's log was dropped while its marks are there.
    """

    records: tuple[Record, ...] = ()
    yoyo_lock_pids: tuple[int, ...] = ()
    forgotten: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    log_missing: bool = False

    @property
    def known(self) -> frozenset[str]:
        """Every id that is or was recorded as applied and never rolled back."""
        return frozenset({record.id for record in self.records} | set(self.forgotten))


@contextlib.contextmanager
def reading(connection: psycopg.Connection[Any], lock_seconds: float) -> Iterator[None]:
    """Open a transaction that reads, and that waits for a locked table for `lock_seconds` at most."""
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        pin(connection)
        connection.execute(f"SET LOCAL lock_timeout = {max(1, round(lock_seconds * 1000))}".encode())
        yield


def read_recorded(connection: psycopg.Connection[Any], *, lock_seconds: float) -> Recorded:
    """Return what is recorded, by id; nothing on a database that was never migrated.

    Args:
        connection: To the database.
        lock_seconds: How long to wait for a table that another session has locked.

    Raises:
        MigrationConflict: There are bookkeeping tables in another schema: a second set would re-apply everything.
        psycopg.errors.LockNotAvailable: Another session kept a table locked.
    """
    with reading(connection, lock_seconds):
        tables = connection.execute(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname IN ('_yoyo_migration', 'yoyo_lock', %s, %s) AND c.relkind = 'r' ORDER BY 1
            """,
            (TABLE, LOG_TABLE),
        ).fetchall()
        _check_schemas([schema for schema, table in tables if table == "_yoyo_migration"])
        ours = {table for schema, table in tables if schema == SCHEMA}
        records: tuple[Record, ...] = ()
        if "_yoyo_migration" in ours:
            marks = _MARKS if LOG_TABLE in ours else _MARKS_WITHOUT_LOG
            query = _BOTH.format(marks=marks) if TABLE in ours else marks
            records = tuple(Record(*row) for row in connection.execute(query.encode()).fetchall())
        if LOG_TABLE in ours:
            records = _with_log(connection, records)
        undone = connection.execute(_UNDONE).fetchall() if TABLE in ours else []
        pids = connection.execute("SELECT pid FROM public.yoyo_lock").fetchall() if "yoyo_lock" in ours else []
    return Recorded(
        records,
        tuple(pid for (pid,) in pids),
        forgotten=tuple(name for name, state in undone if state == "forgotten"),
        rolled_back=tuple(name for name, state in undone if state == "rolled_back"),
        log_missing="_yoyo_migration" in ours and LOG_TABLE not in ours,
    )


def _with_log(connection: psycopg.Connection[Any], records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Add yoyo's log to the records whose mark is gone: it says whether the migration was rolled back."""
    unmarked = [record.id for record in records if not record.marked and not record.dirty]
    if not unmarked:
        return records
    rows = connection.execute(
        """
        SELECT DISTINCT ON (migration_id) migration_id, operation, username || '@' || hostname, created_at_utc
        FROM public._yoyo_log WHERE migration_id = ANY (%s) ORDER BY migration_id, created_at_utc DESC
        """,
        (unmarked,),
    )
    logged = {name: Logged(*found) for name, *found in rows}
    return tuple(record._replace(logged=logged.get(record.id)) for record in records)


_MARKS_WITHOUT_LOG = """
    SELECT m.migration_id, true, m.applied_at_utc AT TIME ZONE 'UTC', NULL::text
    FROM public._yoyo_migration AS m
    ORDER BY m.migration_id
"""
_MARKS = """
    SELECT m.migration_id, true, m.applied_at_utc AT TIME ZONE 'UTC', l.username || '@' || l.hostname
    FROM public._yoyo_migration AS m
    LEFT JOIN (
        SELECT DISTINCT ON (migration_hash) migration_hash, username, hostname
        FROM public._yoyo_log WHERE operation IN ('apply', 'mark') ORDER BY migration_hash, created_at_utc DESC
    ) AS l USING (migration_hash)
    ORDER BY m.migration_id
"""
_BOTH = f"""
    SELECT coalesce(m.migration_id, k.migration_id), m.migration_id IS NOT NULL,
           CASE WHEN m.migration_id IS NULL THEN NULL WHEN k.origin = 'adopted' THEN m.applied_at
                ELSE coalesce(k.finished_at, m.applied_at) END,
           coalesce(k.applied_by, m.applied_by), k.state, k.origin,
           k.checksum, k.raw_checksum, k.rollback_checksum, k.rollback_raw_checksum
    FROM ({{marks}}) AS m (migration_id, marked, applied_at, applied_by)
    FULL JOIN (SELECT * FROM public.{TABLE} WHERE state IN {_LIVE}) AS k ON k.migration_id = m.migration_id
    ORDER BY 1
"""  # noqa: S608 - constants of this module


_UNDONE = f"""
    SELECT DISTINCT migration_id, state FROM public.{TABLE} WHERE state IN ('forgotten', 'rolled_back')
"""  # noqa: S608 - a constant


def _check_schemas(schemas: list[str]) -> None:
    if all(name == SCHEMA for name in schemas):
        return
    other = next(name for name in schemas if name != SCHEMA)
    moves = "; ".join(f"ALTER TABLE {quote_identifier(other)}.{table} SET SCHEMA {SCHEMA}" for table in YOYO_TABLES)
    raise MigrationConflict(
        f"yoyo's table _yoyo_migration is in schema {', '.join(schemas)}; it is expected in {SCHEMA} alone",
        hint=f"look which set is right and drop the tables {', '.join(YOYO_TABLES)} of the other"
        if SCHEMA in schemas
        else f"move it back: {moves}",
    )


def has_table(connection: psycopg.Connection[Any]) -> bool:
    """Whether our own table is there."""
    row = connection.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (f"public.{TABLE}",)).fetchone()
    return row is not None and bool(row[0])


def prepare_table(connection: psycopg.Connection[Any]) -> None:
    """Make our own table where it is missing, in the caller's transaction if there is one."""
    if not has_table(connection):
        with connection.transaction():
            for statement in _DEFINITION:
                connection.execute(statement)


class FileTexts(NamedTuple):
    """What is recorded of a migration's two files, taken before it runs.

    Args:
        id: The migration.
        text: Of the file, as it is; before version 0.1.7 its line ends were newlines.
        checksum: As `content.checksum`.
        raw_checksum: As `content.raw_checksum`.
        rollback_text: Of the rollback file, or None where there is none.
        rollback_checksum: The same for it.
        rollback_raw_checksum: The same for it.
    """

    id: str
    text: str
    checksum: str
    raw_checksum: str
    rollback_text: str | None = None
    rollback_checksum: str | None = None
    rollback_raw_checksum: str | None = None


def insert_run(
    connection: psycopg.Connection[Any], texts: FileTexts, *, state: str, origin: str, applied_by: str, version: str
) -> None:
    """Record that a migration is being applied, or is applied already (then it took no time that we know)."""
    connection.execute(
        f"""
        INSERT INTO public.{TABLE} (migration_id, state, origin, checksum, raw_checksum, applied_text,
            rollback_checksum, rollback_raw_checksum, rollback_text, applied_by, tool_version, finished_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s = 'applied' THEN clock_timestamp() END)
        """,  # noqa: S608 - the table's name is a constant
        (
            texts.id,
            state,
            origin,
            texts.checksum,
            texts.raw_checksum,
            texts.text,
            texts.rollback_checksum,
            texts.rollback_raw_checksum,
            texts.rollback_text,
            applied_by,
            version,
            state,
        ),
    )


def finish_run(connection: psycopg.Connection[Any], migration_id: str) -> None:
    """Record that a migration that was being applied is applied."""
    connection.execute(
        f"""
        UPDATE public.{TABLE} SET state = 'applied', finished_at = clock_timestamp(),
            seconds = extract(epoch FROM clock_timestamp() - started_at)
        WHERE migration_id = %s AND state = 'applying'
        """,  # noqa: S608 - the table's name is a constant
        (migration_id,),
    )


def change_state(connection: psycopg.Connection[Any], migration_id: str, state: str, *, by: str | None = None) -> None:
    """Give the live row of a migration another state; `by` says who undid it."""
    connection.execute(
        f"""
        UPDATE public.{TABLE} SET state = %s, undone_by = %s,
            undone_at = CASE WHEN %s::text IS NULL THEN NULL ELSE clock_timestamp() END
        WHERE migration_id = %s AND state IN {_LIVE}
        """,  # noqa: S608 - constants of this module
        (state, by, by, migration_id),
    )


def remove_intent(connection: psycopg.Connection[Any], migration_id: str) -> None:
    """Forget that a migration was begun: it had no effect."""
    connection.execute(
        f"DELETE FROM public.{TABLE} WHERE migration_id = %s AND state = 'applying'",  # noqa: S608 - a constant
        (migration_id,),
    )


def rename_run(connection: psycopg.Connection[Any], old: str, new: str) -> None:
    """Give the live row of a migration another id."""
    connection.execute(
        f"UPDATE public.{TABLE} SET migration_id = %s WHERE migration_id = %s AND state IN {_LIVE}",  # noqa: S608
        (new, old),
    )


def update_raw_checksums(connection: psycopg.Connection[Any], texts: FileTexts) -> None:
    """Record that the files differ in what does not count; the applied text stays as it was applied."""
    connection.execute(
        f"""
        UPDATE public.{TABLE} SET raw_checksum = %s, rollback_raw_checksum = %s
        WHERE migration_id = %s AND state IN {_LIVE}
        """,  # noqa: S608 - constants of this module
        (texts.raw_checksum, texts.rollback_raw_checksum, texts.id),
    )


def remember(connection: psycopg.Connection[Any], migration_id: str) -> None:
    """Take back that a migration was forgotten."""
    connection.execute(
        f"""
        UPDATE public.{TABLE} SET state = 'applied', undone_at = NULL, undone_by = NULL
        WHERE run_id = (SELECT max(run_id) FROM public.{TABLE} WHERE migration_id = %s AND state = 'forgotten')
        """,  # noqa: S608 - the table's name is a constant
        (migration_id,),
    )


def read_texts(connection: psycopg.Connection[Any], migration_id: str, *, state: str | None = None) -> FileTexts | None:
    """Return what was recorded of a migration when it was last applied; None where nothing was.

    Args:
        connection: To the database.
        migration_id: The migration.
        state: Only if that record is in this state now.
    """
    if not has_table(connection):
        return None
    row = connection.execute(
        f"""
        SELECT migration_id, applied_text, checksum, raw_checksum, rollback_text, rollback_checksum,
               rollback_raw_checksum
        FROM (SELECT * FROM public.{TABLE} WHERE migration_id = %s ORDER BY run_id DESC LIMIT 1) AS newest
        WHERE %s::text IS NULL OR state = %s
        """,  # noqa: S608 - the table's name is a constant
        (migration_id, state, state),
    ).fetchone()
    return FileTexts(*row) if row else None
