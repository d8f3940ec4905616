"""Checking a database: its catalog and its records against the code and the migrations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from kinetria_cli.domain.check import (
    CHECKS,
    UNMIGRATED,
    CheckName,
    CheckReport,
    Finding,
    Severity,
    mended_once,
    ordered,
)
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError, MalformedParameters
from kinetria_cli.usecases.checks.columns import check_columns
from kinetria_cli.usecases.checks.foreign_keys import check_foreign_keys
from kinetria_cli.usecases.checks.indexes import check_indexes
from kinetria_cli.usecases.checks.invariants import check_invariants
from kinetria_cli.usecases.checks.vocabularies import check_vocabularies

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import Clock, Ends, Invariant
    from kinetria_cli.domain.check_ports import Inspector, View

Drift = Callable[[], tuple[tuple[Finding, ...], frozenset[str]]]
"""Compares the schema with what the migrations make: the findings, and the names of the objects that they make."""


def check_database(
    *,
    inspector: Inspector,
    drift: Drift | None = None,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    now: datetime | None = None,
) -> CheckReport:
    """Run the checks. Nothing is written. What cannot be looked at is a finding, and the other checks go on.

    Args:
        inspector: Looks at the database.
        drift: Compares the schema with the migrations; None where there is nothing to compare with.
        only: The checks to run; all without any.
        skip: Checks to leave out.
        now: The time that ages are reckoned from; the server's without it.

    Raises:
        MalformedParameters: A name is not of a check, or no check is left to run.
        DatabaseUnreachable, LoginRefused, TlsRefused: There is no connection, or it is lost.
    """
    started = time.monotonic()
    skip = tuple(skip)
    checks = _chosen(tuple(only), skip, drift)
    findings: list[Finding] = []
    made = None
    # Whether an index is nobody's own is known by what the migrations make, unless a comparison is not wanted at all.
    if drift is not None and {"drift", "index"} & set(checks) and "drift" not in skip:
        try:
            found, names = drift()
            made = names or None
            if any(finding.object == UNMIGRATED for finding in found):
                # All that a schema has is missing: one finding says so better than a hundred.
                return CheckReport(tuple(found), ("drift",), round(time.monotonic() - started, 3))
            findings.extend(found if "drift" in checks else ())
        except DatabaseUnreachable:
            raise
        except KinetriaError as error:
            findings.append(_not_seen("drift", error))
    with inspector.look() as view:
        clock = view.clock()
        if now is not None:
            clock = replace(clock, now=now)
        findings.extend(_look(view, checks, clock, made, _dropped(findings), inspector.invariants))
    return CheckReport(ordered(mended_once(findings)), checks, round(time.monotonic() - started, 3))


def _chosen(only: tuple[str, ...], skip: tuple[str, ...], drift: Drift | None) -> tuple[CheckName, ...]:
    able = [name for name in CHECKS if name != "drift" or drift is not None]
    for name in (*only, *skip):
        if name not in able:
            raise MalformedParameters(f"there is no check {name!r}", hint=f"one of {', '.join(able)}")
    chosen = tuple(name for name in able if (not only or name in only) and name not in skip)
    if not chosen:
        raise MalformedParameters("no check is left to run", hint="kinetria db check, with fewer of --only and --skip")
    return chosen


def _look(
    view: View,
    checks: tuple[CheckName, ...],
    clock: Clock,
    made: frozenset[str] | None,
    dropped: frozenset[str],
    rules: Callable[[Ends], tuple[Invariant, ...]],
) -> Iterator[Finding]:
    runs: dict[CheckName, Callable[[], Iterator[Finding]]] = {
        "vocabulary": lambda: check_vocabularies(view),
        "column": lambda: check_columns(view),
        "foreign-key": lambda: check_foreign_keys(view, dropped),
        "index": lambda: check_indexes(view, clock, made, dropped),
        "invariant": lambda: check_invariants(view, clock, rules),
    }
    for name in checks:
        if name in runs:
            try:
                yield from runs[name]()
            except DatabaseUnreachable:
                raise
            except KinetriaError as error:
                yield _not_seen(name, error)


def _dropped(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the tables and columns that a statement drops."""
    drops = ("DROP TABLE ", " DROP COLUMN ")
    return frozenset(found.object for found in findings if any(drop in (found.sql or "") for drop in drops))


def _not_seen(name: CheckName, error: KinetriaError) -> Finding:
    hint = f": {error.hint}" if error.hint else ""
    return Finding(name, f"check {name}", Severity.ERROR, f"could not be looked at: {error.message}{hint}")
