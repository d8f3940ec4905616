"""Mending the bookkeeping of migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import ConfirmationRequired, MalformedParameters

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Prompt
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.migration_reports import RepairResult, RepairStep

DECISIONS = ("applied", "pending")


def repair(
    *,
    migrations: MigrationGateway,
    prompt: Prompt,
    decide: str | None,
    dry_run: bool,
    yes: bool,
    tell: Tell,
) -> RepairResult:
    """Mend what can be mended, after saying what that is; somebody at a terminal is asked.

    Nothing of a user's is destroyed, so that a script is not held up.

    Raises:
        MalformedParameters: `decide` is another word.
        ConfirmationRequired: The answer was no.
        Whatever `MigrationGateway.repair` raises.
    """
    if decide is not None and decide not in DECISIONS:
        raise MalformedParameters(f"--as is {decide!r}", hint=f"--as {' or --as '.join(DECISIONS)}")

    def agreed(steps: tuple[RepairStep, ...]) -> None:
        for step in steps:
            prompt.tell(f"{step.id}: {step.problem}: {step.action}")
        if not yes and prompt.present and prompt.ask("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
            raise ConfirmationRequired("not confirmed; nothing was changed", hint="answer y, or add --yes")

    return migrations.repair(decide=decide, dry_run=dry_run, agreed=agreed, tell=tell)
