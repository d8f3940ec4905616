"""The link of the schema: what is applied, what waits, and what somebody changed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from kinetria_cli.domain.doctor import Cause, Finding, broken, doubtful, well
from kinetria_cli.domain.errors import PrivilegeMissing
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus, span
from kinetria_cli.domain.needed import NEEDED
from kinetria_cli.domain.stack import Pooling

if TYPE_CHECKING:
    from kinetria_cli.domain.doctor import Locker
    from kinetria_cli.usecases.doctor.connection import Connecting

_COMMAND = re.compile(r"kinetria migrate (?:--allow-out-of-order|[a-z]+(?: (?:--[a-z]+ [a-z]+|\d{4}_\w+))?)")
YOYO_LOG = "_yoyo_log"
LOOK_FIRST = "it removes or changes what is there: look first with kinetria migrate plan"


def check_schema(
    connecting: Connecting, status_of: Callable[[], MigrationStatus], destroys: Callable[[], bool]
) -> Finding:
    """Return whether the database has the schema that this build expects.

    Args:
        connecting: Has the session.
        status_of: Compares files and records.
        destroys: Whether applying what is pending would remove or change data.

    Raises:
        KinetriaError: The folder or the records cannot be read.
    """
    facts = connecting.facts
    if facts.locker:
        return _locked(connecting, facts.locker)
    try:
        status = status_of()
    except PrivilegeMissing as error:
        return broken(error.message, connecting.no_right(error.message))
    return _judged(connecting, status, destroys)


def _locked(connecting: Connecting, locker: Locker) -> Finding:
    needed = locker.table in NEEDED
    text = f"{f'The table {locker.table}' if needed else 'The record of the migrations'} is locked by {locker.text}"
    end = connecting.psql(f"SELECT pg_terminate_backend({locker.pid})")
    other = "better end it where it was begun: this undoes what it has not committed"
    return broken(text, Cause(f"{text}.", end, other=other))


def _judged(connecting: Connecting, status: MigrationStatus, destroys: Callable[[], bool]) -> Finding:
    facts = connecting.facts
    if status.problems:
        return _problem(status.problems[0], len(status.problems))
    if facts.runner:
        text = f"Another run holds the migration lock: {facts.runner}."
        harmless = not status.pending_ids or not destroys()
        cause = Cause(text, "kinetria migrate --lock-wait 5m", other=None if harmless else LOOK_FIRST, safe=harmless)
        return broken("another run holds the migration lock", cause)
    if status.pending_ids:
        pooled = facts.pooling is Pooling.TRANSACTION
        return _pooled(connecting, status.pending_ids) if pooled else _pending(status, facts.tables, destroys)
    ahead = status.ids(MigrationState.AHEAD)
    if status.missing_objects:
        return _missing(status.missing_objects, ahead)
    if ahead:
        return doubtful(f"{span(ahead)} is applied and newer than this build: update kinetria")
    return well(f"{len(status.applied_ids)} applied, at {status.head}")


def _pooled(connecting: Connecting, pending: tuple[str, ...]) -> Finding:
    text = "Migrations are pending, and a pooler in transaction mode is in between, through which none is applied."
    other = "name the server itself, or a pool in session mode; then: kinetria migrate"
    detail = f"{len(pending)} pending: {span(pending)}; through a pooler in transaction mode"
    return broken(detail, Cause(text, connecting.origins.edit("DB_PORT"), other=other))


def _pending(status: MigrationStatus, tables: tuple[str, ...], destroys: Callable[[], bool]) -> Finding:
    pending = status.pending_ids
    if status.head is None and tables:
        text = f"There are tables ({', '.join(tables)}), and no record of a migration."
        return broken("tables without a record", Cause(text, "kinetria migrate baseline"))
    never = "the schema was never made: " if status.head is None else ""
    detail = f"{never}{len(pending)} pending: {span(pending)}"
    harmless = not destroys()
    other = None if harmless else LOOK_FIRST
    return broken(detail, Cause(f"{detail[0].upper()}{detail[1:]}.", "kinetria migrate", other=other, safe=harmless))


def _missing(objects: tuple[str, ...], ahead: tuple[str, ...]) -> Finding:
    """Return the finding for tables and columns that applied migrations created and that are gone."""
    detail = f"missing: {', '.join(objects)}"
    names = f"{', '.join(objects[:-1])} and {objects[-1]}" if len(objects) > 1 else objects[0]
    text = f"{names[0].upper()}{names[1:]} {'is' if len(objects) == 1 else 'are'} recorded as created and missing"
    if ahead:
        text += f"; {span(ahead)} is newer than this build and may have removed it: update kinetria"
    if f"table public.{YOYO_LOG}" in objects:
        return broken(detail, Cause(f"{text}.", "kinetria migrate repair", other="it creates the log again", safe=True))
    other = "it only looks, and prints the statements that create it again; the data comes from a backup"
    return broken(detail, Cause(f"{text}: dropped or renamed by hand.", "kinetria db check", other=other))


def _problem(entry: MigrationEntry, count: int) -> Finding:
    detail = f"{entry.id}: {entry.detail}" + (f"; {count} in all" if count > 1 else "")
    mend = _COMMAND.search(entry.mend or "")
    command = mend[0] if mend else "kinetria migrate status"
    safe = command == "kinetria migrate repair" and entry.state is MigrationState.DIRTY
    other = _besides(entry.mend, mend[0]) if entry.mend and mend else entry.mend
    return broken(detail, Cause(f"{entry.id} {entry.detail}.", command, other=other, safe=safe))


def _besides(mend: str, command: str) -> str | None:
    """What a way of mending says besides the command, which is shown already."""
    if not mend.startswith(command):
        return mend
    rest = mend.removeprefix(command)
    return f"it{rest}" if rest.startswith(" ") else rest.lstrip(", ") or None
