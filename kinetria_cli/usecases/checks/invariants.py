"""The records against the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import Broken, Clock, Ends, Invariant
    from kinetria_cli.domain.check_ports import View

CHECK: Final = "invariant"


def check_invariants(view: View, clock: Clock, rules: Callable[[Ends], tuple[Invariant, ...]]) -> Iterator[Finding]:
    """Yield the rules that rows break; those of one table that cannot be counted for one reason are one finding."""
    uncounted: dict[tuple[str, str], list[Invariant]] = defaultdict(list)
    for invariant in rules(view.seeded()):
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
                f"{invariant.title}: {broken.count:,}; {_advice(invariant, broken)}",
                invariant.fix if broken.seeded < broken.count else None,
                count=broken.count,
                samples=broken.samples,
                rule=invariant.name,
            )
    for (table, reason), left in uncounted.items():
        what = f"{left[0].title}:" if len(left) == 1 else f"{len(left)} rules about its records"
        rule = left[0].name if len(left) == 1 else None
        message = f"{what} could not be counted: {reason}"
        yield Finding(CHECK, f"table public.{table}", Severity.ERROR, message, rule=rule)


def _advice(invariant: Invariant, broken: Broken) -> str:
    """Return what to do. A statement leaves the rows of a seed alone, so that --verify finds no more than before."""
    if not broken.seeded:
        return invariant.advice
    if broken.seeded == broken.count:
        return "they are rows of a seed, which kinetria seed --restore sets back"
    return f"{invariant.advice}; {broken.seeded:,} of them are a seed's: kinetria seed --restore sets these back"
