"""Our own findings: each lock that stops readers or writers, with what it means for the table that is there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from kinetria_cli.domain.figures import size
from kinetria_cli.domain.lint import Severity
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.lint.made import FolderFacts, made_by, plain_name
from kinetria_cli.gateways.migrations.lint.tables import LiveTables, TableFacts
from kinetria_cli.gateways.migrations.lint.work import Task, Work, tasks_of
from kinetria_cli.gateways.migrations.locks import LockMode, LockNeed, lock_needs
from kinetria_cli.gateways.migrations.sqltext import Statement

MEGABYTES_PER_SECOND = {Work.SCAN: 200, Work.INDEX: 50, Work.REWRITE: 40, Work.UPDATE: 5}
"""How much of a table is worked through in a second; of the whole with its indexes where those are made anew too.

Measured with PostgreSQL 16 on a laptop, 1,000,000 rows of set_records (109 MB, 76 MB of indexes) in memory: scan 500,
index 240, rewrite 20 to 55, UPDATE of every row 5. Scan and index are set lower for tables that lie on a disk.
"""
LONG_SECONDS = 3.0
"""As long as `migrate` itself waits for a lock before it gives way."""
SHORT_SECONDS = 0.1

RULES = {Work.SCAN: "table-scan", Work.INDEX: "index-build", Work.REWRITE: "table-rewrite"}
LOCK_WAIT = "lock-wait"
CONCURRENT = "concurrent-index"
LOCK_RULES = frozenset({*RULES.values(), LOCK_WAIT, CONCURRENT})

_WORDS = {Work.SCAN: "reads the whole table", Work.INDEX: "builds an index", Work.REWRITE: "rewrites the table"}
_MADE_HERE = "the file itself makes it"
_MOMENT = Task(Work.MOMENT)
_WORKING = frozenset(
    {"ALTER", "CLUSTER", "CREATE", "DELETE", "DROP", "LOCK", "REFRESH", "REINDEX", "TRUNCATE", "UPDATE", "VACUUM"}
)
"""The first words of statements that take a lock, do work or make a table."""


@dataclass(frozen=True, slots=True)
class OwnFinding:
    """A finding without its place. See `Finding`; `figures` is None without a database, or for a new table."""

    rule: str
    severity: Severity
    message: str
    hint: str | None
    table: str | None = None
    lock: LockMode | None = None
    figures: TableFacts | None = None
    seconds: float | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """What a file makes before one of its statements, by names as the server folds them.

    Args:
        made: What the whole file makes, and the number of the statement that does.
        number: Of the statement.
    """

    made: dict[str, int]
    number: int

    def __contains__(self, name: str) -> bool:
        return self.made.get(name, self.number) < self.number


@dataclass(frozen=True, slots=True)
class Step:
    """One statement.

    Args:
        statement: As cut out of the file.
        made: The tables that the file makes before it: nobody else uses them yet.
        needs: The locks that it takes; on the index's table where it drops an index.
        task: The longest of what it does.
        changes_nothing: Whether the database knows that its rewrite changes no row.
        seconds: How long that takes; None where the size is unknown.
        held_seconds: How long its locks are held: to the end of the transaction.
        grade: What holding them that long is worth by the words of the file alone, whatever a database holds.
        indexes: The indexes that it drops, as written, one for each of `needs`; nothing for another statement.
    """

    statement: Statement
    made: "MadeBefore"
    needs: tuple[LockNeed, ...]
    task: Task
    changes_nothing: bool
    seconds: float | None
    held_seconds: float | None
    grade: Severity
    indexes: tuple[str, ...] = ()


class Steps:
    """The steps of a file by number. One of a moment without a lock is made when it is asked for: there can be 90,000.

    Args:
        statements: Of the file.
        found: The other steps.
        made: As in `MadeBefore`.
    """

    def __init__(self, statements: Sequence[Statement], found: dict[int, Step], made: dict[str, int]) -> None:
        self._statements = statements
        self._found = found
        self._made = made

    def __iter__(self) -> Iterator[Step]:
        return map(self.__getitem__, range(len(self._statements)))

    def __getitem__(self, number: int) -> Step:
        if number in self._found:
            return self._found[number]
        statement, made = self._statements[number], MadeBefore(self._made, number)
        return Step(statement, made, (), _MOMENT, changes_nothing=False, seconds=0.0, held_seconds=0.0, grade="info")


class Locking:
    """What the locks of files mean.

    The severity is read off the files, so that it is the same without a database; figures only raise it to an error.

    Args:
        live: The database's tables; None without a database.
        folder: What the files of the folder make.
    """

    def __init__(self, live: LiveTables | None, folder: FolderFacts) -> None:
        self._live = live
        self._folder = folder

    def facts(self, relation: str) -> TableFacts | None:
        """Return what is known of the table that is there; None without one."""
        return None if self._live is None else self._live.facts(relation)

    def own_functions(self, names: Iterable[str]) -> frozenset[str]:
        """Return which of these names, as written, are functions that PostgreSQL does not bring."""
        plain = {name: plain_name(name) for name in names}
        bare = {name: found.rpartition(".")[2].strip('"') for name, found in plain.items()}
        live = self._live.own_functions(bare.values()) if self._live and bare else frozenset()
        return frozenset(
            name
            for name, found in plain.items()
            if not found.startswith('"pg_catalog".') and (found in self._folder.functions or bare[name] in live)
        )

    def steps(self, file: SqlFile) -> "Steps":
        """Return the statements of a file, each with how long it holds its locks."""
        made: dict[str, int] = {}
        found: dict[int, Step] = {}
        for number, statement in enumerate(file.statements):
            if statement.first not in _WORKING:
                continue
            step = self._step(statement, MadeBefore(made, number))
            if step.needs or step.task.work:
                found[number] = step
            making = made_by(statement)
            # A table that may exist already is not new.
            if making and not making[1]:
                made.setdefault(making[0], number)
        later: float | None = 0.0
        grade: Severity = "info"
        for number, step in reversed(found.items()):
            later = None if later is None or step.seconds is None else round(later + step.seconds, 2)
            grade = "warning" if "warning" in (grade, step.grade) else "info"
            found[number] = replace(step, held_seconds=later, grade=grade)
        return Steps(file.statements, found, made)

    def _step(self, statement: Statement, made: MadeBefore) -> Step:
        tasks = tasks_of(statement)
        task = max(tasks, key=lambda found: found.work)
        real = max((self._checked(found) for found in tasks), key=lambda found: found.work)
        seconds: float | None = 0.0
        if real.work and real.subject and plain_name(real.subject) not in made:
            seconds = _seconds(real.work, self.facts(real.subject))
        long = task.work and task.subject and plain_name(task.subject) not in made
        needs = lock_needs(statement)
        indexes: tuple[str, ...] = ()
        if statement.words[:2] == ("DROP", "INDEX"):
            indexes = tuple(need.relation for need in needs)
            needs = tuple(replace(need, relation=self._table_of(need.relation)) for need in needs)
        grade: Severity = "warning" if long else "info"
        return Step(statement, made, needs, task, real != task, seconds, seconds, grade, indexes)

    def _table_of(self, index: str) -> str:
        """The table of an index; the index's own name where nothing is known of it."""
        facts = self.facts(index)
        return (facts.name if facts is not None else self._folder.indexes.get(plain_name(index))) or index

    def _checked(self, task: Task) -> Task:
        """Ask the database whether a rewrite is none, because every row stays as it is."""
        facts = self.facts(task.subject) if task.subject else None
        if self._live is None or facts is None:
            return task
        kept = task.new_type is not None and self._live.keeps_its_bytes(facts, *task.new_type)
        fixed = bool(task.calls) and self._live.are_fixed(task.calls)
        return Task(Work.MOMENT, task.subject) if kept or fixed else task

    def findings(self, step: Step) -> Iterator[OwnFinding]:
        """Yield what a statement's locks are worth; without a database only where one is held for more than a moment.

        The table whose index is dropped is always named: the statement does not.
        """
        builds = step.statement.words[:2] in (("CREATE", "INDEX"), ("CREATE", "UNIQUE"))
        for need, index in zip_longest(step.needs, step.indexes):
            there = self._is_there(need.relation, step)
            if need.stops_writers and (there or index or step.held_seconds != 0):
                yield self._lock(step, need, index)
            elif not need.stops_writers and there and builds:
                yield self._concurrent(step, need)

    def _is_there(self, relation: str, step: Step) -> bool:
        """Whether a lock of a moment is worth a line: not on a table that another pending file makes."""
        return self._live is not None and (plain_name(relation) in step.made or self.facts(relation) is not None)

    def _lock(self, step: Step, need: LockNeed, index: str | None) -> OwnFinding:
        head = f"{need.mode.title} on {_what(need.relation, index)}"
        facts = self.facts(need.relation)
        late = step.held_seconds is None or step.held_seconds >= SHORT_SECONDS
        found = OwnFinding(
            rule=RULES.get(step.task.work, LOCK_WAIT),
            severity=_severity(step),
            message=f"{head}{figures_text(facts)}{self._absent(facts)}: {_effect(step, need)}",
            hint=step.task.hint or ("put what comes behind it into a file of its own" if late else None),
            table=need.relation,
            lock=need.mode,
            figures=facts,
            seconds=step.held_seconds,
        )
        return _waived(found, f"{head}: {_MADE_HERE}") if plain_name(need.relation) in step.made else found

    def _concurrent(self, step: Step, need: LockNeed) -> OwnFinding:
        facts = self.facts(need.relation)
        taken = f", {about(step.seconds)}" if step.seconds is not None else ""
        found = OwnFinding(
            rule=CONCURRENT,
            severity="info",
            message=f"CREATE INDEX CONCURRENTLY: {need.relation}{figures_text(facts)}{self._absent(facts)}{taken};"
            " writers are not blocked",
            hint=None,
            table=need.relation,
            lock=need.mode,
            figures=facts,
            seconds=step.seconds,
        )
        message = f"CREATE INDEX CONCURRENTLY: {need.relation}: {_MADE_HERE}"
        return _waived(found, message) if plain_name(need.relation) in step.made else found

    def _absent(self, facts: TableFacts | None) -> str:
        return ", which is not in the database" if self._live is not None and facts is None else ""


def _what(table: str, index: str | None) -> str:
    if index is None:
        return table
    return f"the table of {index}" if index == table else f"{table}, the table of {index}"


def _waived(finding: OwnFinding, message: str) -> OwnFinding:
    return replace(finding, severity="info", message=message, hint=None, waived=True)


def changed_in(facts: TableFacts | None) -> float | None:
    """Return how many seconds it takes to change or delete every row; None where the size is unknown."""
    return _seconds(Work.UPDATE, facts)


def _seconds(work: Work, facts: TableFacts | None) -> float | None:
    if facts is None or facts.table_bytes is None or facts.bytes is None:
        return None
    worked_on = facts.bytes if work in (Work.REWRITE, Work.UPDATE) else facts.table_bytes
    return round(worked_on / (MEGABYTES_PER_SECOND[work] * 1_000_000), 2)


def _severity(step: Step) -> Severity:
    return "error" if step.held_seconds is not None and step.held_seconds >= LONG_SECONDS else step.grade


def figures_text(facts: TableFacts | None) -> str:
    """Return `, 1,004,100 rows, 160 MB, 12 writes a second`, as far as known."""
    if facts is None:
        return ""
    if facts.oid is None:
        return ", which another session locks now, so that its size is unknown"
    parts = []
    if facts.rows is not None:
        parts.append(f"{facts.rows:,} row{'' if facts.rows == 1 else 's'}")
    if facts.bytes is not None:
        parts.append(size(facts.bytes))
    if facts.writes_per_second and facts.writes_per_second >= 0.5:
        parts.append(f"{facts.writes_per_second:,.0f} writes a second")
    return "".join(f", {part}" for part in parts)


def _effect(step: Step, need: LockNeed) -> str:
    work = "changes no row in this database" if step.changes_nothing else _WORDS.get(step.task.work)
    held = step.held_seconds
    if held is not None and held < SHORT_SECONDS:
        size = " at this size" if step.grade == "warning" and not step.changes_nothing else ""
        return (
            f"{f'{work}, ' if work else ''}held for a moment{size}; whoever comes while it waits for the lock waits too"
        )
    nobody = "nobody reads it" if need.mode is LockMode.ACCESS_EXCLUSIVE else "nobody writes to it"
    time = "during which" if held is None else f"{about(held)} during which"
    on_its_own = work is not None and (held is None or held == step.seconds)
    return f"{work}, {time} {nobody}" if on_its_own else f"held to the end of the file, {time} {nobody}"


def about(seconds: float) -> str:
    """Return `about 3 s` or `about 5 min`."""
    return f"about {max(1, round(seconds))} s" if seconds < 120 else f"about {seconds / 60:.0f} min"
