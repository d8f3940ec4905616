"""Training over weeks, of one user or of all sessions that match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.insight import MAX_WEEKS, Training
from kinetria_cli.domain.records import Filters
from kinetria_cli.usecases.inspect import resolved
from kinetria_cli.usecases.lookup import find

if TYPE_CHECKING:
    from kinetria_cli.domain.insight import TrainingLog
    from kinetria_cli.domain.repository_ports import Repositories


def training(
    entity: str,
    *,
    repositories: Repositories,
    log: TrainingLog,
    user: str | None,
    filters: Filters,
    weeks: int,
) -> Training:
    """Return the training of the sessions that match.

    Args:
        entity: What is inspected.
        repositories: Where the user is found.
        log: Where the figures come from.
        user: An id or an e-mail; None means all users.
        filters: Of the list of sessions.
        weeks: How many to show, up to the newest session's.

    Raises:
        MalformedParameters: A filter or a number of weeks that cannot be used.
        RecordNotFound: There is no such user.
    """
    if not 1 <= weeks <= MAX_WEEKS:
        raise MalformedParameters(f"--weeks is {weeks}", hint=f"a number from 1 to {MAX_WEEKS}")
    found = None if user is None else find("users", user, repositories)
    wanted = dict(resolved(filters, repositories))
    if found is not None:
        wanted["user_id"] = found.id
    figures = log.figures(wanted, weeks=weeks)
    return Training.of(figures, entity=entity, user=None if found is None else found.email)
