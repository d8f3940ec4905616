"""Why a file did not run, in words: the place in the file, what the server says, who is in the way, what to do."""

from collections.abc import Sequence
from typing import Any

import psycopg

from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    KinetriaError,
    MigrationBlocked,
    MigrationFailed,
    PrivilegeMissing,
)
from kinetria_cli.gateways.migrations.blockers import Blocker
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.excerpt import missing_relation, source_excerpt
from kinetria_cli.gateways.migrations.lacking import lacking_extension
from kinetria_cli.gateways.migrations.locks import LockNeed
from kinetria_cli.gateways.migrations.session import SCHEMA
from kinetria_cli.gateways.migrations.sqltext import Statement
from kinetria_cli.gateways.migrations.step import Step

ROLLED_BACK = "and was rolled back. The database is as before it."


_KINDS: dict[str, type[KinetriaError]] = {"42501": PrivilegeMissing, "25006": DatabaseReadOnly}
"""Where trying again with another file does not help (PostgreSQL 16 manual, appendix A)."""


def failed(
    connection: psycopg.Connection[Any], step: Step, statement: Statement | None, error: psycopg.Error, outcome: str
) -> KinetriaError:
    """Return the error of a statement that failed.

    Args:
        connection: In no transaction.
        step: The file.
        statement: The one that failed; None where it was none of the file.
        error: What the driver raised.
        outcome: What became of the database, to go on with "failed ...".
    """
    details = source_excerpt(step.file, statement, error)
    if guess := _did_you_mean(connection, error):
        details = (*details, f"Did you mean {guess}?")
    undoing = " rollback" if step.direction == "rollback" else " plan"
    hint = f"edit the file, then: kinetria migrate{undoing}"
    if error.sqlstate in ("42P07", "42710"):
        hint = "look who made it; a database that has all of it already: kinetria migrate baseline"
    if needs_no_transaction(step.file, error):
        hint = OUTSIDE
    if error.sqlstate == "55P04":
        hint = "a value is not usable before it is committed: use it in a later file"
    if error.sqlstate == "53200":
        hint = "split the file, or raise max_locks_per_transaction: each table it touches takes a lock"
    if error.sqlstate == "57014":
        hint = "it took longer than the statement timeout: --statement-timeout gives it more"
    if error.sqlstate == "42501":
        hint = "log in as the owner of what it changes, or grant this role the right"
    if extension := lacking_extension(connection, error):
        details = (*details, f"The embedded engine's PostgreSQL was built without {extension}.")
        hint = "kinetria up --engine docker --carry: that engine's image has the extensions that belong to PostgreSQL"
    kind = _KINDS.get(error.sqlstate or "", MigrationFailed)
    return kind(f"{step.file.path.name} failed {outcome}", hint=hint, details=details)


OUTSIDE = "put that statement alone in a file whose first line is -- transactional: false"


def needs_no_transaction(file: SqlFile, error: psycopg.Error) -> bool:
    """Whether a file failed because it runs in a transaction, which its statement does not take, or would end."""
    # Out of a function the server refuses the first kind in any file.
    refused = error.sqlstate == "25001" and error.diag.context is None
    return file.transactional and (refused or error.sqlstate == "2D000")


def _did_you_mean(connection: psycopg.Connection[Any], error: psycopg.Error) -> str | None:
    from difflib import get_close_matches

    name = missing_relation(error)
    if name is None:
        return None
    rows = connection.execute(
        "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm')"
        " AND relnamespace = pg_catalog.to_regnamespace(%s)",
        (SCHEMA,),
    )
    close = get_close_matches(name.rpartition(".")[2], [relation for (relation,) in rows], n=1)
    return close[0] if close else None


def blocked(
    step: Step,
    statement: Statement | None,
    error: psycopg.Error,
    *,
    needs: Sequence[LockNeed],
    found: Sequence[Blocker],
    attempts: int,
) -> MigrationBlocked:
    """Return the error of a statement that did not get its lock.

    Args:
        step: The file.
        statement: The one that waited.
        error: What the driver raised.
        needs: The locks that it needs.
        found: Who holds what conflicts with them.
        attempts: How often the file was tried.
    """
    what = locks_text(needs) if needs else "a lock"
    return MigrationBlocked(
        f"{step.file.path.name} did not get {what} in {attempts} attempts and was rolled back",
        hint=f"end it: SELECT pg_terminate_backend({found[0].pid}), or wait; then run this again"
        if found
        else "run this again when the table is less busy",
        details=(*source_excerpt(step.file, statement, error), *(f"held by {blocker}" for blocker in found)),
    )


def locks_text(needs: Sequence[LockNeed]) -> str:
    """Return `ACCESS EXCLUSIVE on users, SHARE on sessions`."""
    return ", ".join(f"{need.mode.title} on {need.relation}" for need in needs)


def held_by(found: Sequence[Blocker]) -> str:
    """Return `, held by ...`, or nothing where nobody is known."""
    return f", held by {'; '.join(str(blocker) for blocker in found)}" if found else ""
