"""The records against the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import Clock, Invariant
    from kinetria_cli.domain.check_ports import View

CHECK: Final = "invariant"


def check_invariants(view: View, clock: Clock, invariants: tuple[Invariant, ...]) -> Iterator[Finding]:
    """Yield the rules that rows break; those of one table that cannot be counted for one reason are one finding."""
    uncounted: dict[tuple[str, str], list[Invariant]] = defaultdict(list)
    for invariant in invariants:
        try:
            broken = view.broken(invariant, clock.now)
        except DatabaseUnreachable:
            raise
        except KinetriaError as error:
            uncounted[invariant.table, error.message].append(invariant)
            continue
        if broken.count:
            yield Finding(
                CHECK,
                f"table public.{invariant.table}",
                invariant.severity,
                f"{invariant.title}: {broken.count:,}; {invariant.advice}",
                invariant.fix,
                count=broken.count,
                samples=broken.samples,
                rule=invariant.name,
            )
    for (table, reason), rules in uncounted.items():
        what = f"{rules[0].title}:" if len(rules) == 1 else f"{len(rules)} rules about its records"
        rule = rules[0].name if len(rules) == 1 else None
        message = f"{what} could not be counted: {reason}"
        yield Finding(CHECK, f"table public.{table}", Severity.ERROR, message, rule=rule)
