"""Our own findings: each lock that stops readers or writers, with what it means for the table that is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kinetria_cli.domain.figures import size
from kinetria_cli.domain.lint import Severity
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.lint.made import Made, made_by, plain_name
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
OWN_RULES = frozenset({*RULES.values(), LOCK_WAIT, CONCURRENT})

_WORDS = {Work.SCAN: "reads the whole table", Work.INDEX: "builds an index", Work.REWRITE: "rewrites the table"}


@dataclass(frozen=True, slots=True)
class LockFinding:
    """A finding without its place. See `Finding`; `figures` is None without a database, or for a new table."""

    rule: str
    severity: Severity
    message: str
    hint: str | None
    table: str
    lock: LockMode
    figures: TableFacts | None
    seconds: float | None
    waived: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One statement.

    Args:
        statement: As cut out of the file.
        made: What is made before it.
        needs: The locks that it takes.
        task: The longest of what it does.
        seconds: How long that takes; None where the size is unknown.
        held_seconds: How long its locks are held: to the end of the transaction.
    """

    statement: Statement
    made: Made
    needs: tuple[LockNeed, ...]
    task: Task
    seconds: float | None
    held_seconds: float | None


class Locking:
    """What the locks of files mean.

    Args:
        live: The database's tables; None without a database.
    """

    def __init__(self, live: LiveTables | None) -> None:
        self._live = live

    def facts(self, relation: str) -> TableFacts | None:
        """Return what is known of the table that is there; None without one."""
        return None if self._live is None else self._live.facts(relation)

    def is_new(self, relation: str, made: Made) -> str | None:
        """Return what makes a table that nobody else can use yet, or None where it is there already."""
        name = plain_name(relation)
        if name in made.here:
            return "the file itself makes it"
        maker = None if self.facts(relation) is not None else made.before.get(name)
        return f"{maker} makes it" if maker else None

    def no_matter(self, relation: str, made: Made) -> str | None:
        """Return why nobody minds a lock on a table, or None where somebody may.

        Args:
            relation: As written.
            made: What the files make.
        """
        facts = self.facts(relation)
        return self.is_new(relation, made) or ("the table is empty" if facts is not None and facts.rows == 0 else None)

    def steps(self, file: SqlFile, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Return the statements of a file, each with how long it holds its locks.

        Args:
            file: The file.
            before: See `Made`.
        """
        made = Made(before)
        forward: list[Step] = []
        for statement in file.statements:
            forward.append(self._step(statement, made))
            making = made_by(statement)
            if making and not (making[1] and self.facts(making[0]) is not None):
                made = made.with_name(making[0])
        found: list[Step] = []
        later: float | None = 0.0
        for step in reversed(forward):
            later = None if later is None or step.seconds is None else round(later + step.seconds, 2)
            found.append(replace(step, held_seconds=later))
        return tuple(reversed(found))

    def _step(self, statement: Statement, made: Made) -> Step:
        tasks = [self._checked(task) for task in tasks_of(statement)]
        task = max(tasks, key=lambda found: found.work)
        seconds: float | None = 0.0
        if task.work and task.subject and not self.no_matter(task.subject, made):
            seconds = _seconds(task.work, self.facts(task.subject))
        return Step(statement, made, lock_needs(statement), task, seconds, seconds)

    def _checked(self, task: Task) -> Task:
        """Ask the database whether a rewrite is none, because every row stays as it is."""
        facts = self.facts(task.subject) if task.subject else None
        if self._live is None or facts is None:
            return task
        kept = task.new_type is not None and self._live.keeps_its_bytes(facts, *task.new_type)
        fixed = bool(task.calls) and self._live.are_fixed(task.calls)
        return Task(Work.MOMENT, task.subject) if kept or fixed else task

    def findings(self, step: Step) -> Iterator[LockFinding]:
        """Yield the findings of a statement; without a database only where a lock is held for more than a moment."""
        for need in step.needs:
            if need.stops_writers:
                if self._live is not None or step.held_seconds != 0:
                    yield self._lock(step, need)
            elif self._live is not None and step.statement.words[:2] in (("CREATE", "INDEX"), ("CREATE", "UNIQUE")):
                yield self._concurrent(step, need)

    def _lock(self, step: Step, need: LockNeed) -> LockFinding:
        head = f"{need.mode.title} on {need.relation}"
        facts = self.facts(need.relation)
        late = step.held_seconds is None or step.held_seconds >= SHORT_SECONDS
        found = LockFinding(
            rule=RULES.get(step.task.work, LOCK_WAIT),
            severity=_severity(step.held_seconds),
            message=f"{head}{_figures(facts)}{self._absent(facts)}: {_effect(step, need)}",
            hint=step.task.hint or ("put what comes behind it into a file of its own" if late else None),
            table=need.relation,
            lock=need.mode,
            figures=facts,
            seconds=step.held_seconds,
            waived=False,
        )
        reason = self.no_matter(need.relation, step.made)
        return found if reason is None else _waived(found, f"{head}: {reason}")

    def _concurrent(self, step: Step, need: LockNeed) -> LockFinding:
        facts = self.facts(need.relation)
        taken = f", {_about(step.seconds)}" if step.seconds is not None else ""
        found = LockFinding(
            rule=CONCURRENT,
            severity="info",
            message=f"CREATE INDEX CONCURRENTLY: {need.relation}{_figures(facts)}{self._absent(facts)}{taken};"
            " writers are not blocked",
            hint=None,
            table=need.relation,
            lock=need.mode,
            figures=facts,
            seconds=step.seconds,
            waived=False,
        )
        reason = self.no_matter(need.relation, step.made)
        return found if reason is None else _waived(found, f"CREATE INDEX CONCURRENTLY: {need.relation}: {reason}")

    def _absent(self, facts: TableFacts | None) -> str:
        return ", which is not in the database" if self._live is not None and facts is None else ""


def _waived(finding: LockFinding, message: str) -> LockFinding:
    return replace(finding, severity="info", message=message, hint=None, waived=True)


def _seconds(work: Work, facts: TableFacts | None) -> float | None:
    if facts is None or facts.table_bytes is None or facts.bytes is None:
        return None
    worked_on = facts.bytes if work in (Work.REWRITE, Work.UPDATE) else facts.table_bytes
    return round(worked_on / (MEGABYTES_PER_SECOND[work] * 1_000_000), 2)


def _severity(held_seconds: float | None) -> Severity:
    if held_seconds is None:
        return "warning"
    if held_seconds < SHORT_SECONDS:
        return "info"
    return "error" if held_seconds >= LONG_SECONDS else "warning"


def _figures(facts: TableFacts | None) -> str:
    """`, 1,004,100 rows, 160 MB, 12 writes a second`, as far as known."""
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
    work = _WORDS.get(step.task.work)
    held = step.held_seconds
    if held is not None and held < SHORT_SECONDS:
        return f"{f'{work}, ' if work else ''}held for a moment; whoever comes while it waits for the lock waits too"
    nobody = "nobody reads it" if need.mode is LockMode.ACCESS_EXCLUSIVE else "nobody writes to it"
    time = "during which" if held is None else f"{_about(held)} during which"
    on_its_own = work is not None and (held is None or held == step.seconds)
    return f"{work}, {time} {nobody}" if on_its_own else f"held to the end of the file, {time} {nobody}"


def _about(seconds: float) -> str:
    return f"about {max(1, round(seconds))} s" if seconds < 120 else f"about {seconds / 60:.0f} min"
