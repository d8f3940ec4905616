"""`doctor --fix`: run the safe command of a cause after asking, and walk again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from kinetria_cli.domain.doctor import Diagnosis, Fix
from kinetria_cli.domain.errors import ConfirmationRequired

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt

MOST_FIXES = 5
"""Links that can be mended one after the other: engine, process, login, schema, service."""


def fix(
    walk: Callable[[], Diagnosis], *, run: Callable[[str], int], prompt: Prompt, yes: bool, dry_run: bool
) -> Diagnosis:
    """Mend one cause after the other until none is left, or none that may be mended without a person.

    Args:
        walk: Finds the present cause.
        run: Runs a command of ours and returns its exit code.
        prompt: The person at the terminal.
        yes: Whether not to ask.
        dry_run: Whether to only say what would be run.

    Returns:
        The last diagnosis, with what was run.

    Raises:
        ConfirmationRequired: The answer was no, or there was nobody to ask.
    """
    fixes: list[Fix] = []
    while True:
        found = walk()
        tried = {done.command for done in fixes}
        if found.command is None:
            return replace(found, fixes=tuple(fixes))
        # A command that did not help does not help the second time.
        if why := _why_not(found, tried):
            prompt.tell(f"Not run by itself: {found.command}: {why}.")
            return replace(found, fixes=tuple(fixes))
        if dry_run:
            prompt.tell(f"{found.cause} This would be run: {found.command}")
            return found
        _agree(found, prompt, yes=yes)
        fixes.append(Fix(found.command, run(found.command)))


def _why_not(found: Diagnosis, tried: Collection[str]) -> str | None:
    if not found.safe:
        ours = (found.command or "").startswith("kinetria ")
        return "it wants a decision of yours" if ours else "it is for you to look at and run"
    if found.command in tried:
        return "it was run and did not mend it"
    return f"{MOST_FIXES} commands were run already" if len(tried) == MOST_FIXES else None


def _agree(found: Diagnosis, prompt: Prompt, *, yes: bool) -> None:
    what = f"{found.cause} To mend it: {found.command}"
    if yes:
        prompt.tell(what)
        return
    if not prompt.present:
        raise ConfirmationRequired(f"{what}. Not confirmed.", hint="add --yes")
    try:
        answer = prompt.ask(f"{what}\nGo on? [y/N] ")
    except KeyboardInterrupt as interruption:
        interruption.add_note("this command was not run; answer n to leave it")
        raise
    if answer.strip().lower() not in ("y", "yes"):
        raise ConfirmationRequired("not confirmed; nothing was changed", hint="answer y, or add --yes")
