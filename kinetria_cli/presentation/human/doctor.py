"""A diagnosis for people."""

from functools import singledispatch
from itertools import groupby
from typing import Any

from kinetria_cli.domain.doctor import Diagnosis, Link
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
        if len(links) == 1:
            screen.marked(CHECK_MARKS[status], links[0].name, detail, name_width=NAME_WIDTH)
        else:
            names = ", ".join(link.name for link in links)
            screen.line(screen.mark(CHECK_MARKS[status]), f" {names}   {status.value}: {detail}")
    screen.line()
    if result.cause is None:
        screen.line("Nothing is broken.")
        return
    screen.line(f"One cause: {result.cause}")
    screen.line(f"  {result.command}")
    if result.other:
        screen.line(f"  ({result.other})")
