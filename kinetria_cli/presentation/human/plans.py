"""What would run, for people."""

import re
from functools import singledispatch
from typing import Any

from kinetria_cli.domain.measure import Measurement
from kinetria_cli.domain.migration_reports import MigrationPlan
from kinetria_cli.presentation.human.lint import show_finding
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, one_line

_LINE = re.compile(r"(?P<line>[^\r\n]*+)(?:\r\n?|\n|\Z)")
_BLANK = re.compile(r"\s*+")


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: MigrationPlan, screen: Screen) -> None:
    for number, step in enumerate(result.steps, 1):
        how = "transactional" if step.transactional else "not transactional"
        count = f"{step.statements} statement" + ("s" if step.statements > 1 else "")
        screen.line(f"{number}  {step.id}   {how}, {count}")
        _show_sql(step.sql, screen)
        for finding in result.findings:
            if finding.id == step.id and not finding.waived:
                show_finding(finding, screen)
        for found in result.measurements:
            if found.id == step.id:
                _show_measurement(found, screen)
    if result.note:
        screen.sentence(screen.mark(Mark.LOOK), " not linted: ", result.note)
    screen.sentence(f"Nothing was changed. Apply: {result.apply_with}" if result.steps else "Nothing is pending.")


def _show_sql(sql: str, screen: Screen) -> None:
    """Print a file without blank lines at its beginning and end, line by line: it can be 10 MB."""
    blank_lines = 0
    beginning = _BLANK.match(sql)
    for found in _LINE.finditer(sql, beginning.end() if beginning else 0):
        line = found["line"]
        if not line or line.isspace():
            blank_lines += 1
            continue
        for _ in range(blank_lines):
            screen.line()
        blank_lines = 0
        screen.line("     ", line)


def _show_measurement(found: Measurement, screen: Screen) -> None:
    rows = "" if found.rows is None else f", {found.rows:,} rows"
    first_line = one_line(found.sql.split("\n", 1)[0])
    screen.line(f"     line {found.line}: {duration(found.milliseconds / 1000)}{rows}: ", first_line)
    source = "" if found.locks_measured else " (read off the statement)"
    for lock in found.locks:
        screen.line(f"       {lock.mode} on ", lock.relation, source)
    for relation in found.rewrites:
        screen.line("       writes anew ", relation)
    for table in found.tables:
        here = "" if table.target_rows is None else f"; in this database it has {table.target_rows:,}"
        screen.line("       measured on ", table.relation, f" with {table.rows:,} rows{here}")
    if found.too_few_rows:
        screen.line("       too few rows to tell the time in this database: fill more with --dump FILE")
    elif found.estimated_milliseconds is not None:
        screen.line(f"       scaled by rows: about {duration(found.estimated_milliseconds / 1000)} in this database")
