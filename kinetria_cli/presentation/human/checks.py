"""What `db check` finds, for people."""

import textwrap
from collections.abc import Iterable, Sequence

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
    screen.sentence(screen.mark(mark), " ", _verdict(result), f" in {duration(result.seconds)}")
    shown = [finding for finding in result.findings if finding.severity is not Severity.INFO or result.detailed]
    for findings in _by_object(shown):
        _show(findings, screen)
    remarks = result.count(Severity.INFO)
    if remarks and not result.detailed:
        screen.sentence(screen.mark(Mark.SKIPPED), f" {counted(remarks, 'remark')}: kinetria db check -v lists them")
    steps = {_step(finding) for finding in shown if finding.sql and finding.severity is not Severity.INFO}
    for number, step in enumerate([*sorted(steps), "then  kinetria db check"] if steps else []):
        screen.line("        " if number else "  next: ", step)


def _step(finding: Finding) -> str:
    if finding.check == "invariant":
        return "run what mends records"
    if finding.check == "drift":
        return "run what undoes a drift here, in the order above; what is to stay belongs into a migration"
    return "put what changes the schema into a migration: kinetria migrate new"


def _verdict(result: CheckReport) -> str:
    errors, warnings = result.count(Severity.ERROR), result.count(Severity.WARNING)
    looked = counted(len(result.checks), "check")
    if errors:
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}; {looked}"
    if warnings:
        return f"no error, {counted(warnings, 'warning')}; {looked}"
    return f"nothing to mend; {looked}"


def _by_object(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """Return them in their order, but all that is said of one object together."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.object, []).append(finding)
    return found.values()


def _show(findings: Sequence[Finding], screen: Screen) -> None:
    """Print what is said of one object, the worst first, and each statement once."""
    screen.line(screen.mark(_MARKS[findings[0].severity]), " ", one_line(findings[0].object))
    for finding in findings:
        for text in (finding.message, _samples(finding)):
            # A long word, as a name can be one, is not cut: it may be needed.
            for line in textwrap.wrap(
                one_line(text), screen.width - len(_INDENT), break_long_words=False, break_on_hyphens=False
            ):
                screen.line(_INDENT, line)
    for sql in dict.fromkeys(finding.sql for finding in findings if finding.sql):
        # What has several lines, such as the body of a function, is taken as it stands, blanks too, when it is pasted.
        indent = "" if "\n" in sql else _INDENT
        for line in sql.split("\n"):
            screen.line(indent, line)


def _samples(finding: Finding) -> str:
    more = ", ..." if finding.count is not None and finding.count > len(finding.samples) else ""
    return f"as {', '.join(finding.samples)}{more}" if finding.samples else ""
