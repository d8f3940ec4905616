"""The filters of lists as options: each has a name, a column, and a reader that makes its text a value."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

import typer

from kinetria_cli.commands.inspect.chart import CHART_OPTIONS, draw
from kinetria_cli.commands.inspect.request import KeyArgument, Request, entity
from kinetria_cli.commands.options import completing
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.records import SEARCH, Span
from kinetria_cli.domain.vos import ValueObject
from kinetria_cli.usecases import filter_values as values

Reader = Callable[[str, str], object]
"""Option and text -> value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One option.

    Args:
        option: Its name; `--on/--off` is a flag, whose value is True or False.
        column: What is compared, see `Filters`.
        help: Its line in --help.
        read: Makes the text a value; a flag has none.
        metavar: What stands for the text in --help.
        end: Which end of a `Span` the value is, or None where it is compared as a whole.
        words: Every value there is, where they are few.
    """

    option: str
    column: str
    help: str
    read: Reader | None = None
    metavar: str | None = None
    end: str | None = None
    words: tuple[str, ...] = ()

    @property
    def parameter(self) -> str:
        """The name of its parameter."""
        return self.option.split("/")[0].removeprefix("--").replace("-", "_")

    @property
    def annotation(self) -> Any:
        """What Typer makes the option from."""
        kind = str if self.read else bool
        complete = completing(self.words) if self.words else None
        return Annotated[
            kind | None, typer.Option(self.option, metavar=self.metavar, help=self.help, autocompletion=complete)
        ]


def a_text(option: str, column: str) -> Filter:
    """A text that the column has in it."""
    return Filter(option, column, "Only with this text in it.", values.read_part, "TEXT")


def exactly(option: str, column: str, help_text: str) -> Filter:
    """A text that the column equals."""
    return Filter(option, column, help_text, values.read_text, "TEXT")


def a_word(option: str, column: str, vocabulary: type[ValueObject]) -> Filter:
    """A word of a vocabulary."""
    return Filter(
        option,
        column,
        ", ".join(vocabulary),
        lambda _, text: vocabulary.validate(text),
        "WORD",
        words=tuple(vocabulary),
    )


def an_id(option: str, column: str, help_text: str) -> Filter:
    """The id of another record, or its beginning; the key is what that record is called."""
    return Filter(option, column, help_text, values.read_text, "ID")


def a_number(option: str, column: str, help_text: str, *, lowest: int, highest: int, end: str | None = None) -> Filter:
    """A whole number, or an end of a range of them."""
    return Filter(option, column, help_text, partial(values.read_integer, lowest=lowest, highest=highest), "N", end=end)


def _time(option: str, text: str) -> datetime:
    return values.read_time(option, text, now=datetime.now(UTC))


def times(column: str, prefix: str, what: str) -> tuple[Filter, Filter]:
    """The first moment that counts, and the first that no longer does."""
    return (
        Filter(
            f"--{prefix}since", column, f"Only {what} then or later: a date, a time, or 7d ago.", _time, "TIME", "since"
        ),
        Filter(f"--{prefix}before", column, f"Only {what} before then.", _time, "TIME", "before"),
    )


USER = Filter("--user", "user", "Only this user's.", values.read_text, "ID|EMAIL")
SEARCHED = Filter("--search", SEARCH, "Only with this text in a column of text.", values.read_part, "TEXT")
UPDATED = times("updated_at", "updated-", "changed")


def listing(
    name: str,
    help_text: str,
    *filters: Filter,
    key: Any = KeyArgument,
    finish: Callable[[dict[str, Any]], None] = lambda _: None,
    charts: bool = False,
) -> Callable[..., None]:
    """Return the command of an entity.

    Args:
        name: The entity, as on the command line.
        help_text: What its records are.
        filters: Its own options, in the order of --help.
        key: The argument that names one record.
        finish: Makes columns of filters that are none.
        charts: Whether --chart draws its training.
    """
    options = {one.parameter: one.annotation for one in filters}
    if charts:
        options |= CHART_OPTIONS

    def function(request: Request, **given: Any) -> None:
        chart = {option: given.pop(option) for option in CHART_OPTIONS} if charts else {}
        found = read(filters, given)
        finish(found)
        if chart.get("chart"):
            draw(replace(request, filters=given), name, chart["weeks"], found)
            return
        if chart.get("weeks") is not None:
            raise MalformedParameters("--weeks is for --chart", hint="add --chart")
        replace(request, filters=given).answer(name, **found)

    function.__name__, function.__doc__ = name.replace("-", "_"), help_text
    keyword = inspect.Parameter.KEYWORD_ONLY
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # `entity` reads it
        [
            inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request),
            *(inspect.Parameter(option, keyword, annotation=kind, default=None) for option, kind in options.items()),
        ]
    )
    return entity(function, key=key)


def read(filters: Sequence[Filter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return column -> what is wanted there.

    Args:
        filters: The options.
        given: Parameter -> its text, or of a flag its value; None where it was not given.

    Raises:
        MalformedParameters: A text that is no value of its option.
    """
    found: dict[str, Any] = {}
    for one in filters:
        text = given[one.parameter]
        if text is None:
            continue
        value = one.read(one.option, text) if one.read else text
        if one.end:
            value = replace(found.get(one.column, Span()), **{one.end: value})
        found[one.column] = value
    return found


def narrow_to_live(found: dict[str, Any]) -> None:
    """Make `live` what it means: neither revoked nor expired.

    Raises:
        MalformedParameters: Revoked ones are asked for too.
    """
    live = found.pop("live", None)
    if not live:
        return
    if found.get("revoked"):
        raise MalformedParameters("a live token is not revoked", hint="leave out --live or --revoked")
    now = datetime.now(UTC)
    span = found.get("expires_at", Span())
    found |= {"revoked": False, "expires_at": replace(span, since=max(span.since or now, now))}
