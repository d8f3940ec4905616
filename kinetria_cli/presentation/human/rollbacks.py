"""What was undone, for people."""

import shlex
from functools import singledispatch
from typing import Any

from kinetria_cli.domain.migration import RollbackResult
from kinetria_cli.domain.migration_reports import RedoResult
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration

LOAD_FILE = "load.sql"


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: RollbackResult, screen: Screen) -> None:
    for run in result.rolled_back:
        screen.marked(Mark.DONE, run.id, "rolled back", duration(run.seconds), name_width=40)
    if result.would_roll_back:
        _show_foreseen(result, screen)
        screen.sentence(f"would roll back {len(result.would_roll_back)}; nothing was changed")
        return
    head = result.head or "an empty schema"
    screen.sentence(f"{len(result.rolled_back)} rolled back, now at {head}, {result.pending} pending")
    _show_kept(result, screen, "to load it back, when it is applied again")


@render.register
def _(result: RedoResult, screen: Screen) -> None:
    for run in result.rolled_back:
        screen.marked(Mark.DONE, run.id, "rolled back", duration(run.seconds), name_width=40)
    for run in result.applied:
        screen.marked(Mark.DONE, run.id, "applied", duration(run.seconds), name_width=40)
    if result.would_roll_back:
        _show_foreseen(result, screen)
        count = len(result.would_roll_back)
        screen.sentence(f"would roll back {count} and apply {count} again; nothing was changed")
        return
    screen.sentence(f"{len(result.applied)} applied again, now at {result.head or 'an empty schema'}")
    _show_kept(result, screen, "to load it back")


def _show_foreseen(result: RollbackResult | RedoResult, screen: Screen) -> None:
    for name in result.would_roll_back:
        screen.marked(Mark.BUSY, name, "would be rolled back", name_width=40)
    for line in result.would_destroy:
        screen.line(line)


def _show_kept(result: RollbackResult | RedoResult, screen: Screen, when: str) -> None:
    """The files, and the scripts that load them back, the one of the oldest migration first."""
    scripts = [path for path in result.kept if path.endswith(f"/{LOAD_FILE}")]
    for path in result.kept:
        if path not in scripts:
            screen.line("  kept: ", path)
    psql = f'eval "$(kinetria env)" && {shlex.quote(result.psql)} -X -v ON_ERROR_STOP=1 -f '
    for path in reversed(scripts):
        screen.line(f"  {when}: ", f"{psql}{shlex.quote(path)}")
