"""--chart: the training of sessions or of one user, drawn over weeks."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kinetria_cli.commands.inspect.export import chosen_format, pending_explained
from kinetria_cli.domain.errors import MalformedParameters

if TYPE_CHECKING:
    from kinetria_cli.commands.inspect.request import Request

CHART_OPTIONS: dict[str, Any] = {
    "chart": Annotated[bool | None, typer.Option("--chart", help="Draw volume, frequency and records over weeks.")],
    "weeks": Annotated[int | None, typer.Option("--weeks", metavar="N", help="Of --chart: so many, 26 unless given.")],
}
"""Parameter -> annotation."""


def draw(request: "Request", entity: str, weeks: int | None, filters: Mapping[str, Any]) -> None:
    """Print the training of one user, or of the sessions that match.

    Args:
        request: The options that every entity takes.
        entity: What is inspected: users or sessions.
        weeks: How many; None for the default.
        filters: Of the list of sessions; one user has none.

    Raises:
        MalformedParameters: An option that cannot be drawn, or no user where one has to be named.
    """
    from kinetria_cli.domain.insight import DEFAULT_WEEKS
    from kinetria_cli.usecases.insight import training

    user = request.key if entity == "users" else filters.get("user")
    _check(request, entity, filters)
    run = request.run
    if (stream := chosen_format(run, request.format)) is not None:
        raise MalformedParameters(
            f"--format {stream.value} cannot be drawn", hint="take --format json, or leave it out"
        )
    with pending_explained(run), closing(run.container.database(run.target.params)) as database:
        result = training(
            entity,
            repositories=database.repositories,
            log=run.container.training_log(run.target.params),
            user=user,
            filters={name: value for name, value in filters.items() if name != "user"},
            weeks=DEFAULT_WEEKS if weeks is None else weeks,
        )
    run.finish(result)


def _check(request: "Request", entity: str, filters: Mapping[str, Any]) -> None:
    refused = request.of_lists() | {"--depth": request.depth, "--reveal": request.reveal or None}
    if entity == "users":
        if request.key is None:
            raise MalformedParameters(
                "--chart draws the training of one user",
                hint="kinetria inspect users ID|EMAIL --chart; of all users: kinetria inspect sessions --chart",
            )
        refused |= dict.fromkeys((f"--{name.replace('_', '-')}" for name in filters), "given")
    else:
        refused |= {"an id": request.key}
    if wrong := [name for name, value in refused.items() if value is not None]:
        raise MalformedParameters(f"{wrong[0]} cannot be drawn with --chart", hint=f"leave out --chart or {wrong[0]}")
