"""Findings in migration files for people."""

import textwrap
from functools import singledispatch
from pathlib import Path
from typing import Any

from kinetria_cli.domain.lint import Finding, LintResult
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import one_line

_MARKS = {"error": Mark.FAILED, "warning": Mark.LOOK, "info": Mark.BUSY}
_INDENT = " " * 5


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: LintResult, screen: Screen) -> None:
    shown = [finding for finding in result.findings if not finding.waived]
    for finding in shown:
        show_finding(finding, screen)
    counted = [(result.count("error"), "error"), (result.count("warning"), "warning"), (result.count("info"), "remark")]
    found = ", ".join(_counted(count, noun) for count, noun in counted if count) or "no finding"
    waived = f"; {result.waived} waived, --json lists them" if result.waived else ""
    screen.sentence(f"{_counted(len(result.files), 'file')}: {found}{waived}")
    if not result.database:
        screen.sentence("No database was asked: the sizes of the tables are unknown.")
    if result.count("error") or result.count("warning"):
        screen.sentence("To accept a finding write above its statement: -- squawk-ignore RULE")


def show_finding(finding: Finding, screen: Screen) -> None:
    """Print where it is, which rule says so, what it is and what to do instead."""
    place = f"{_short(finding.file)}:{finding.line}:{finding.column}"
    screen.line(screen.mark(_MARKS[finding.severity]), " ", one_line(f"{place}  {finding.rule}"))
    for text in (finding.message, f"instead: {finding.hint}" if finding.hint else ""):
        # A long word, as a name can be one, is not cut: it may be needed.
        for line in textwrap.wrap(one_line(text), screen.width - len(_INDENT), break_long_words=False):
            screen.line(_INDENT, line)


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
