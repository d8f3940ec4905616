"""Saying what a rollback destroys, before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinetria_cli.domain.loss import Loss

NOT_KEPT = "Nothing of it is kept."


def rollback_warning(losses: Mapping[str, Sequence[Loss]], *, place: str, kept_folder: str | None) -> str:
    """Return the sentences that come before the question, one loss a line.

    Args:
        losses: Migration -> what its rollback destroys, newest first; `kept` says where each will be, see `placed`.
        place: Which database, and whose: `kinetria@127.0.0.1:5433/kinetria (this project's stack)`.
        kept_folder: The folder above the files, or None where nothing is to be kept.
    """
    lines = [line for name, own in losses.items() for line in _lines(name, own)]
    kept = [loss for own in losses.values() for loss in own if loss.keepable]
    return "\n".join([*lines, f"On {place}.{_keeping(kept, kept_folder)}"])


def _lines(name: str, losses: Sequence[Loss]) -> list[str]:
    return [f"{name} {loss.sentence(would=True)}." for loss in losses] or [f"{name} would destroy no data."]


def _keeping(kept: Sequence[Loss], folder: str | None) -> str:
    if not kept:
        return ""
    if folder is None:
        return f" {NOT_KEPT}"
    amount = _megabytes(sum(loss.size for loss in kept))
    what = "The values are" if all(loss.column for loss in kept) else "The rows are"
    files = {loss.kept for loss in kept}
    where = files.pop() if len(files) == 1 else None
    return f" {what} kept in {where or folder} (about {amount})."


def _megabytes(count: int) -> str:
    return f"{max(count / 1_000_000, 0.1):,.1f} MB"
