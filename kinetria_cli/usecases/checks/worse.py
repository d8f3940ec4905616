"""Which rules about the records more rows break after a migration than before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.migration import WorseRule

if TYPE_CHECKING:
    from datetime import datetime

    from kinetria_cli.domain.check_facts import Broken, Invariant
    from kinetria_cli.domain.check_ports import Inspector
    from kinetria_cli.domain.migration import Tell

CHEAP_BYTES = 32_000_000
"""Up to which size of the seven tables the rules are counted without being asked for: about 100 ms each time."""


class RecordComparison:
    """Counts the rows that break each rule, before and after a change.

    Args:
        inspector: Returns what looks at the database by a session.
        wanted: Whether it was asked for; else only small tables are counted, and failures are not reported.
        tell: Takes a line where the records could not be counted.
    """

    def __init__(self, inspector: Callable[[Any], Inspector], *, wanted: bool, tell: Tell) -> None:
        self._inspector = inspector
        self._wanted = wanted
        self._tell = tell
        self._now: datetime | None = None
        self._looks: list[Mapping[str, tuple[Invariant, Broken]]] = []

    def look(self, session: Any) -> None:
        """Count now: the first time before the change, the last time after it. A failure is no error."""
        # Where there was nothing to compare with, nothing is counted again.
        self._looks = [*self._looks[:1], self._count(session) if not self._looks or self._looks[0] else {}]

    @property
    def worse(self) -> tuple[WorseRule, ...]:
        """The rules that more rows break in the end; one that could not be counted at either time is left out."""
        before, after = (self._looks[0], self._looks[-1]) if self._looks else ({}, {})
        return tuple(
            WorseRule(name, rule.title, rule.table, before[name][1].count, found.count, found.samples)
            for name, (rule, found) in after.items()
            if name in before and found.count > before[name][1].count
        )

    def _count(self, session: Any) -> Mapping[str, tuple[Invariant, Broken]]:
        inspector, found = self._inspector(session), {}
        try:
            with inspector.look() as view:
                size = view.table_bytes()
                if size is None or (size > CHEAP_BYTES and not self._wanted):
                    return {}
                # Ages are counted from one moment, so that no row breaks a rule by the time that the files took.
                self._now = self._now or view.clock().now
                for rule in inspector.invariants(view.seeded()):
                    try:
                        found[rule.name] = rule, view.broken(rule, self._now)
                    except DatabaseUnreachable:
                        raise
                    except KinetriaError as error:
                        self._report(f"the rule {rule.name} could not be counted: {error.message}")
        except KinetriaError as error:
            self._report(f"the records were not checked: {error.message}")
            return {}
        return found

    def _report(self, text: str) -> None:
        if self._wanted:
            self._tell(text)
