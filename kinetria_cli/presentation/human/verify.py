"""Proofs of rollbacks for people."""

from collections.abc import Iterator
from itertools import zip_longest

from kinetria_cli.domain.catalog import Difference
from kinetria_cli.domain.verify import RollbackProof, VerifyResult
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration

NAME_WIDTH = 40


def render(result: VerifyResult, screen: Screen) -> None:
    """Print the proofs, what is not exact, and what to do about it."""
    for proof in result.migrations:
        mark = {True: Mark.DONE, False: Mark.FAILED, None: Mark.SKIPPED}[proof.exact]
        screen.marked(mark, proof.id, _verdict(proof), duration(proof.seconds), name_width=NAME_WIDTH)
        for line in proof.details:
            screen.line("    ", line)
        show_differences(proof.differences, screen, names=("before", "after"))
    show_differences(result.whole, screen, names=("before", "after"))
    count = len(result.migrations)
    where = f"on {result.place}, in {duration(result.seconds)}"
    if result.exact:
        screen.sentence(f"{count} applied, rolled back and applied again, each rollback exact; {where}")
        return
    if result.whole:
        screen.sentence(f"Each rollback is exact, but all in one go is not; {where}")
    lacking = [proof.id for proof in result.migrations if proof.exact is None]
    wrong = [proof.id for proof in result.migrations if proof.exact is False]
    if wrong:
        screen.sentence(f"{len(wrong)} of {count} not exact; {where}")
    if lacking:
        screen.sentence(f"{len(lacking)} of {count} without a rollback file{'' if wrong else f'; {where}'}")
    first = min((*wrong, *lacking), default=result.migrations[-1].id)
    screen.line(
        f"  next: {'write' if first in lacking else 'edit'} {first}.rollback.sql, then  kinetria migrate verify"
    )


def _verdict(proof: RollbackProof) -> str:
    if proof.exact:
        return "exact"
    return proof.problem or "the rollback does not restore what was before"


def show_differences(differences: tuple[Difference, ...], screen: Screen, *, names: tuple[str, str]) -> None:
    """Print each object with both definitions; of two long ones the lines that differ.

    Args:
        differences: What to print.
        screen: Where to.
        names: What the two sides are called.
    """
    width = max(map(len, names))
    for found in differences:
        screen.line("    ", found.object)
        for name, lines in zip(names, _sides(found), strict=True):
            for label, line in zip_longest((name,), lines, fillvalue=""):
                screen.line(f"      {label:<{width}}  {line}".rstrip())


def _sides(found: Difference) -> tuple[list[str], list[str]]:
    before, after = (
        ["not there"] if text is None else text.splitlines() or [""] for text in (found.before, found.after)
    )
    if len(before) == 1 or len(after) == 1:
        return before, after
    return list(_only_in(before, after)), list(_only_in(after, before))


def _only_in(lines: list[str], others: list[str]) -> Iterator[str]:
    """The lines of one text that the other has not, with what is around them cut."""
    from difflib import SequenceMatcher

    for tag, start, end, _, _ in SequenceMatcher(None, lines, others, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            yield from lines[start:end]
