"""What `db check` finds, for people."""

import textwrap

from kinetria_cli.domain.check import CheckReport, Finding, Severity
from kinetria_cli.domain.figures import counted
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, one_line

_MARKS = {Severity.ERROR: Mark.FAILED, Severity.WARNING: Mark.LOOK, Severity.INFO: Mark.SKIPPED}
_INDENT = " " * 5


def render(result: CheckReport, screen: Screen) -> None:
    """Print the verdict, each finding with what mends it, and the next step."""
    worst = min((finding.severity for finding in result.findings), key=list(Severity).index, default=Severity.INFO)
    mark = Mark.DONE if worst is Severity.INFO else _MARKS[worst]
    screen.line(screen.mark(mark), " ", _verdict(result), f" in {duration(result.seconds)}")
    shown = [finding for finding in result.findings if finding.severity is not Severity.INFO or result.detailed]
    for finding in shown:
        _show(finding, screen)
    remarks = result.count(Severity.INFO)
    if remarks and not result.detailed:
        screen.line(screen.mark(Mark.SKIPPED), f" {counted(remarks, 'remark')}: kinetria db check -v lists them")
    steps = {_step(finding) for finding in shown if finding.sql and finding.severity is not Severity.INFO}
    for number, step in enumerate([*sorted(steps), "then  kinetria db check"] if steps else []):
        screen.line("        " if number else "  next: ", step)


def _step(finding: Finding) -> str:
    if finding.check == "invariant":
        return "run what mends records"
    return "put what changes the schema into a migration: kinetria migrate new"


def _verdict(result: CheckReport) -> str:
    errors, warnings = result.count(Severity.ERROR), result.count(Severity.WARNING)
    looked = counted(len(result.checks), "check")
    if errors:
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}; {looked}"
    if warnings:
        return f"no error, {counted(warnings, 'warning')}; {looked}"
    return f"nothing to mend; {looked}"


def _show(finding: Finding, screen: Screen) -> None:
    screen.line(screen.mark(_MARKS[finding.severity]), " ", one_line(finding.object))
    more = ", ..." if finding.count is not None and finding.count > len(finding.samples) else ""
    samples = f"as {', '.join(finding.samples)}{more}" if finding.samples else ""
    for text in (finding.message, samples):
        # A long word, as a name can be one, is not cut: it may be needed.
        for line in textwrap.wrap(one_line(text), screen.width - len(_INDENT), break_long_words=False):
            screen.line(_INDENT, line)
    if finding.sql:
        screen.line(_INDENT, one_line(finding.sql))
