"""The port `MigrationLinter`: squawk's findings and ours, file by file."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.domain.lint import Finding
from kinetria_cli.gateways.migrations.content import SqlFile, read_sql
from kinetria_cli.gateways.migrations.files import read_folder
from kinetria_cli.gateways.migrations.lint.accepted import WHOLE_FILE, accepted_rules
from kinetria_cli.gateways.migrations.lint.locking import LOCK_RULES, LOCK_WAIT, Locking, OwnFinding, Step
from kinetria_cli.gateways.migrations.lint.made import FolderFacts, facts_of, plain_name
from kinetria_cli.gateways.migrations.lint.places import Places
from kinetria_cli.gateways.migrations.lint.rows import ROW_RULES, RowRules
from kinetria_cli.gateways.migrations.lint.squawk import Remark, remarks, squawk_program
from kinetria_cli.gateways.migrations.lint.tables import reading
from kinetria_cli.gateways.migrations.locks import LockMode

if TYPE_CHECKING:
    import psycopg

OWN_RULES = LOCK_RULES | ROW_RULES
_NAMED_RULE = re.compile(r"[^\r\n,]*")
_ABOUT_LOCKS = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-required-field",
        "adding-serial-primary-key-field",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "require-concurrent-partition-detach",
        "require-concurrent-reindex",
    }
)
"""squawk's rules on long locks and on rows that are there already: no matter where there are no rows."""
_ABOUT_REWRITES = ("adding-field-with-default", "changing-column-type")
_ABOUT_CLIENTS = ("ban-drop-", "renaming-", "ban-set-schema")
"""squawk's rules on programs that use what goes away: no matter where it was never there."""


class FolderLinter:
    """The files of a folder, with a database's tables if there is one.

    Args:
        folder: The migrations folder.
        connect: Opens a connection in autocommit mode; None: there is no database.
    """

    def __init__(
        self, folder: Path, connect: Callable[[], AbstractContextManager["psycopg.Connection[Any]"]] | None
    ) -> None:
        self._folder = folder
        self._connect = connect

    def ids(self) -> tuple[str, ...]:
        """See `MigrationLinter.ids`."""
        return tuple(file.id for file in read_folder(self._folder))

    def files(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """See `MigrationLinter.files`."""
        return tuple(str(path) for _, path in self._paths(ids))

    def lint(self, ids: tuple[str, ...]) -> tuple[Finding, ...]:
        """See `MigrationLinter.lint`."""
        files = [(name, read_sql(path)) for name, path in self._paths(ids)]
        facts = facts_of(self._with_others({file.path: file for _, file in files}))
        with nullcontext() if self._connect is None else self._connect() as connection:
            return check_files(files, connection, facts)

    def _with_others(self, read: dict[Path, SqlFile]) -> Iterator[SqlFile]:
        """The files of the folder that apply something, in order; what is wrong with one that is not linted is no
        matter."""
        for file in read_folder(self._folder):
            with suppress(MigrationFileInvalid):
                yield read[file.path] if file.path in read else read_sql(file.path)

    def _paths(self, ids: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
        for file in read_folder(self._folder):
            if file.id in ids:
                yield file.id, file.path
                if file.rollback_path is not None:
                    yield file.id, file.rollback_path


def check_files(
    files: Sequence[tuple[str, SqlFile]],
    connection: "psycopg.Connection[Any] | None",
    folder: FolderFacts | None = None,
) -> tuple[Finding, ...]:
    """Return the findings in files, in the order of files and lines.

    Args:
        files: The id of each, in the order in which they would run; a rollback file behind the one that it undoes.
        connection: In autocommit mode, for the sizes of tables; None: they are unknown.
        folder: What the whole folder makes; only what these files make without it.

    Raises:
        EngineUnavailable: squawk is not there, or does not work.
    """
    if not files:
        return ()
    program = squawk_program()
    # Before the database's transaction begins, which is to be short.
    said = [remarks(program, file, rollback=file.path.name.endswith(".rollback.sql")) for _, file in files]
    found: list[Finding] = []
    with nullcontext() if connection is None else reading(connection) as live:
        locking = Locking(live, folder or facts_of(file for _, file in files))
        for (name, file), own in zip(files, said, strict=True):
            found += _File(name, file, locking).findings(own)
    return tuple(found)


class _File:
    """One file while it is looked at."""

    def __init__(self, name: str, file: SqlFile, locking: Locking) -> None:
        self._name = name
        self._file = file
        self._locking = locking
        self._places = Places(file.script)
        self._accepted = accepted_rules(file)
        self._steps = locking.steps(file)

    def findings(self, said: Sequence[Remark]) -> list[Finding]:
        """Return squawk's and ours, by place."""
        placed: list[tuple[int, Finding]] = []
        told: set[int] = set()
        for remark in said:
            step = self._step_at(remark.position)
            if not self._is_ours(remark):
                placed.append((remark.position, self._of_squawk(remark, step)))
            if step is not None and remark.rule in _ABOUT_LOCKS:
                told.add(step.statement.start)
        rows = RowRules(self._file, self._locking)
        held: dict[str, LockMode] = {}
        for step in self._steps:
            if step.needs:
                placed += ((step.statement.start, found) for found in self._of_locks(step, told, held))
            placed += ((step.statement.start, self._of_ours(found, step)) for found in rows.findings(step))
        return [finding for _, finding in sorted(placed, key=lambda pair: pair[0])]

    def _of_locks(self, step: Step, told: set[int], held: dict[str, LockMode]) -> Iterator[Finding]:
        """Ours on locks, each strength of a table once.

        Args:
            step: The statement.
            told: The statements that squawk speaks of.
            held: The strongest lock on each table so far.
        """
        is_told = step.statement.start in told
        for lock in self._locking.findings(step):
            assert lock.table is not None
            assert lock.lock is not None
            table = plain_name(lock.table)
            again = lock.rule == LOCK_WAIT and held.get(table, 0) >= lock.lock
            held[table] = max(held.get(table, lock.lock), lock.lock)
            # Without figures we have nothing to add to what squawk says of the same statement.
            if again or (is_told and lock.figures is None and not lock.waived and not step.indexes):
                continue
            # One warning a statement, with a database or without.
            said_already = is_told and lock.severity == "warning"
            yield self._of_ours(replace(lock, severity="info") if said_already else lock, step)

    def _step_at(self, position: int) -> Step | None:
        """The statement that a position is in."""
        at = bisect_right(self._file.statements, position, key=lambda statement: statement.start) - 1
        step = self._steps[at] if at >= 0 else None
        return step if step and position < step.statement.end else None

    def _is_ours(self, remark: Remark) -> bool:
        """Whether squawk complains of a comment that names a rule of ours, which it does not know."""
        if remark.rule != "unused-ignore":
            return False
        named = _NAMED_RULE.match(self._file.text, remark.position)
        return named is not None and named[0].strip(" */") in OWN_RULES

    def _of_squawk(self, remark: Remark, step: Step | None) -> Finding:
        need = step.needs[0] if step is not None and step.needs else None
        facts = self._locking.facts(need.relation) if need else None
        place = self._places.place(remark.position)
        waived = step is not None and need is not None and self._is_waived(remark.rule, need.relation, step)
        return Finding(
            id=self._name,
            file=str(self._file.path),
            line=place.line,
            column=place.column,
            rule=remark.rule,
            severity="info" if waived else remark.severity,
            message=remark.message,
            hint=remark.hint,
            table=need.relation if need else None,
            lock=need.mode.title if need else None,
            rows=facts.rows if facts else None,
            bytes=facts.bytes if facts else None,
            seconds=step.held_seconds if step is not None and need else None,
            writes_per_second=facts.writes_per_second if facts else None,
            waived=waived,
        )

    def _is_waived(self, rule: str, relation: str, step: Step) -> bool:
        if rule in _ABOUT_REWRITES and not step.task.work:
            return True  # this default leaves every row as it is
        about_tables = rule in _ABOUT_LOCKS or rule.startswith(_ABOUT_CLIENTS)
        return about_tables and plain_name(relation) in step.made

    def _of_ours(self, lock: OwnFinding, step: Step) -> Finding:
        about = _ABOUT_LOCKS if lock.rule in LOCK_RULES else ()
        accepted = {"*", lock.rule, *about} & (
            self._accepted.get(step.statement.start, frozenset()) | self._accepted.get(WHOLE_FILE, frozenset())
        )
        waived = lock.waived or bool(accepted)
        facts = lock.figures
        place = self._places.place(step.statement.start)
        return Finding(
            id=self._name,
            file=str(self._file.path),
            line=place.line,
            column=place.column,
            rule=lock.rule,
            severity="info" if waived else lock.severity,
            message=lock.message,
            hint=lock.hint,
            table=lock.table,
            lock=lock.lock.title if lock.lock else None,
            rows=facts.rows if facts else None,
            bytes=facts.bytes if facts else None,
            seconds=lock.seconds,
            writes_per_second=facts.writes_per_second if facts else None,
            waived=waived,
        )
