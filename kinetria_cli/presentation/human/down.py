"""What was stopped, for people. Alone in its file: `down` need not import what `up` and `status` consist of."""

from functools import singledispatch
from typing import Any

from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.usecases.down import DownResult


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: DownResult, screen: Screen) -> None:
    if not result.stopped and not result.removed_volumes:
        screen.line("Nothing was running.")
    for name in () if screen.steps_are_shown else result.stopped:
        screen.marked(Mark.DONE, name, "stopped")
    for volume in result.removed_volumes:
        screen.marked(Mark.DONE, "removed", volume)
    if result.stopped and not result.removed_volumes:
        screen.line("The data stay. Start again: kinetria up")
