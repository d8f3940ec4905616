"""A diagnosis for people."""

from functools import singledispatch
from itertools import groupby
from typing import Any

from kinetria_cli.domain.doctor import Diagnosis, Link
from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.presentation.human.health import CHECK_MARKS
from kinetria_cli.presentation.screen import Screen

NAME_WIDTH = 15


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: Diagnosis, screen: Screen) -> None:
    for done in result.fixes:
        ended = "done" if done.exit_code == 0 else f"ended with exit code {done.exit_code}"
        screen.line(f"{done.command}: {ended}")
    # Those that are left out for one reason share a line.
    for (status, detail), group in groupby(result.links, key=lambda link: (link.status, link.detail)):
        links: list[Link] = list(group)
        words = f"{status.value}: {detail}" if status is CheckStatus.SKIPPED else detail
        if len(links) == 1:
            screen.marked(CHECK_MARKS[status], links[0].name, words, name_width=NAME_WIDTH)
        else:
            symbol = screen.mark(CHECK_MARKS[status])
            names = ", ".join(link.name for link in links)
            screen.paragraph(symbol, f"{names}   {words}", indent=len(symbol[0]) + 1)
    screen.line()
    if result.cause is None:
        screen.line("Nothing is broken.")
        return
    screen.paragraph(("One cause:", ""), result.cause, indent=len("One cause: "))
    screen.line(f"  {result.command}")
    if result.only_looks:
        screen.line("  (this command only shows more: it changes nothing)")
    if result.other:
        screen.paragraph(("", ""), f"({result.other})", indent=2, hint=True)
