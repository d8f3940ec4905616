"""Which of the pending migrations run, and when none may."""

from kinetria_cli.domain.errors import MalformedParameters, MigrationConflict
from kinetria_cli.domain.migration import MigrationState, MigrationStatus, named, span


def choose(pending: tuple[str, ...], *, to: str | None, steps: int | None) -> tuple[str, ...]:
    """Return the migrations to apply, in order.

    Args:
        pending: All that could run, in order.
        to: The last one: its id, or its number.
        steps: How many.

    Raises:
        MalformedParameters: Both are given, `steps` is below 1, or `to` is not pending.
    """
    if steps is not None and to is not None:
        raise MalformedParameters("--steps and --to exclude each other", hint="give one of them")
    if steps is not None and steps < 1:
        raise MalformedParameters(f"--steps is {steps}", hint="a number from 1")
    if to is None:
        return pending[:steps]
    matches = named(pending, to)
    if not matches:
        raise MalformedParameters(f"{to} is not a pending migration", hint="kinetria migrate status lists them")
    return pending[: pending.index(matches[0]) + 1]


def refuse_problems(status: MigrationStatus, *, allow_out_of_order: bool) -> None:
    """Return when nothing stands against applying what is pending.

    Raises:
        MigrationConflict: Something has to be mended first; each problem is a line.
    """
    found = [
        entry for entry in status.problems if not (allow_out_of_order and entry.state is MigrationState.OUT_OF_ORDER)
    ]
    if not found:
        return
    first = found[0]
    raise MigrationConflict(
        f"nothing was applied: {span(tuple(entry.id for entry in found))}"
        f" {'is' if len(found) == 1 else 'are'} {', '.join(sorted({e.state.value.replace('_', ' ') for e in found}))}",
        hint=first.mend,
        details=[f"{entry.id}: {entry.detail}" for entry in found],
    )
