"""--chart: the training of sessions or of one user, drawn over weeks."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kinetria_cli.domain.errors import MalformedParameters

if TYPE_CHECKING:
    from kinetria_cli.commands.inspect.request import Request

ChartOption = Annotated[bool, typer.Option("--chart", help="Draw volume, frequency and records over weeks.")]
WeeksOption = Annotated[int | None, typer.Option("--weeks", metavar="N", help="Of --chart: so many, 26 unless given.")]


def draw(request: "Request", entity: str, *, user: str | None, weeks: int | None, filters: Mapping[str, Any]) -> None:
    """Print the training of the sessions that match.

    Args:
        request: The options that every entity takes; none of lists goes with a chart.
        entity: What is inspected.
        user: An id or an e-mail; None for all.
        weeks: How many; None for the default.
        filters: Of the list of sessions.

    Raises:
        MalformedParameters: An option that cannot be drawn.
    """
    from kinetria_cli.domain.insight import DEFAULT_WEEKS
    from kinetria_cli.usecases.insight import training

    run = request.run
    with closing(run.container.database(run.target.params)) as database:
        result = training(
            entity,
            repositories=database.repositories,
            log=run.container.training_log(run.target.params),
            user=user,
            filters=filters,
            weeks=DEFAULT_WEEKS if weeks is None else weeks,
        )
    run.finish(result)


def check_chart(chart: bool, weeks: int | None, others: Mapping[str, object]) -> None:
    """Return when the options fit together.

    Args:
        chart: Whether --chart was given.
        weeks: The value of --weeks.
        others: What makes no sense with a chart: name -> value.

    Raises:
        MalformedParameters: They do not.
    """
    if weeks is not None and not chart:
        raise MalformedParameters("--weeks is for --chart", hint="add --chart")
    wrong = [name for name, value in others.items() if value]
    if chart and wrong:
        raise MalformedParameters(f"{wrong[0]} cannot be drawn with --chart", hint=f"leave out --chart or {wrong[0]}")
