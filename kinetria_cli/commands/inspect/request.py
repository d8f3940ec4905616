"""What every `kinetria inspect ENTITY` takes beside its filters, and what answers it."""

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.inspect.export import Exporting, FormatOption, chosen_format, pending_explained
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.records import Filters
from kinetria_cli.usecases.columns import read_columns, read_sort
from kinetria_cli.usecases.inspect import Wording, list_records

DEFAULT_LIMIT = 20
REVEALING = "secrets are shown: keep the output as safe as the database"

KeyArgument = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="Show this one, with what hangs on it; the beginning of its id will do."),
]
UserKeyArgument = Annotated[
    str | None,
    typer.Argument(metavar="[ID|EMAIL]", help="Show this one, with what hangs on it; the beginning of its id will do."),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", help="At most so many: 20, up to 1000; of csv and ndjson all, any number.")
]
AfterOption = Annotated[str | None, typer.Option("--after", metavar="CURSOR", help="Go on behind the page before.")]
CountOption = Annotated[bool, typer.Option("--count", help="Count all that match.")]
SortOption = Annotated[
    str | None, typer.Option("--sort", metavar="COLUMN", help="Order by this column; -COLUMN the other way round.")
]
ColumnsOption = Annotated[
    str | None, typer.Option("--columns", metavar="NAME,...", help="Show these columns, or all of them: all.")
]
DepthOption = Annotated[
    int | None, typer.Option("--depth", metavar="N", help="Levels below the one record: 0 for none; else 1.")
]
RevealOption = Annotated[bool, typer.Option("--reveal", help="Show secrets, not only whether they are there.")]


@dataclass(frozen=True, slots=True)
class Request:
    """The options that every entity takes.

    Args:
        run: The run of the command.
        key: Of one record; None for a list.
        limit: The most records; None is the usual page, and everything in a stream.
        after: The cursor of the page before.
        count: Whether to count all that match.
        sort: What the list is ordered by, as typed.
        columns: What of each record is shown, as typed.
        depth: How many levels hang on the one record; None for 1.
        reveal: Whether secrets are shown.
        format: json, ndjson or csv; None is a table, or what --json says.
        filters: The filters as typed: parameter -> text, or of a flag its value; None where it was not given.
    """

    run: Run
    key: str | None
    limit: int | None
    after: str | None
    count: bool
    sort: str | None
    columns: str | None
    depth: int | None
    reveal: bool
    format: str | None
    filters: Mapping[str, str | bool | None]

    def answer(self, entity: str, **filters: Any) -> None:
        """Read what is asked for and print it.

        Args:
            entity: As on the command line.
            filters: See `list_records`.

        Raises:
            MalformedParameters: An option of lists beside a key, or one of a record without one.
        """
        listing: Filters = filters
        of_lists = (*self.of_lists().values(), *listing.values())
        if self.key is not None and any(found is not None for found in of_lists):
            raise MalformedParameters(
                "an id shows one record; filters, --limit, --sort, --columns, --after and --count are for lists",
                hint="leave one out",
            )
        if self.key is None and self.depth is not None:
            raise MalformedParameters("--depth is for one record", hint="name it by its id, or leave --depth out")
        table = entity.replace("-", "_")
        sort = None if self.sort is None else read_sort(table, self.sort)
        columns = None if self.columns is None else read_columns(table, self.columns)
        run = self.run
        if (stream := chosen_format(run, self.format)) is not None:
            if self.reveal:
                run.tell(REVEALING)
            export = Exporting(
                run, stream, self.key, self.limit, self.after, self.count, sort, columns or (), self.reveal
            )
            export.answer(entity, listing)
            return
        with (
            pending_explained(run),
            closing(run.container.database(run.target.params)) as database,
            database.snapshot() as repositories,
        ):
            if self.key is not None:
                from kinetria_cli.usecases.tree import show_record  # a list does not pay for it

                result: Any = show_record(
                    entity,
                    self.key,
                    repositories=repositories,
                    now=datetime.now(UTC),
                    depth=1 if self.depth is None else self.depth,
                    reveal=self.reveal,
                )
            else:
                result = list_records(
                    entity,
                    repositories=repositories,
                    filters=listing,
                    limit=DEFAULT_LIMIT if self.limit is None else self.limit,
                    after=self.after,
                    count=self.count,
                    reveal=self.reveal,
                    sort=sort,
                    columns=columns,
                    wording=self.wording,
                )
        if self.reveal:
            run.tell(REVEALING)
        run.finish(result)

    def of_lists(self) -> dict[str, object]:
        """Return the options that are for lists alone: name -> value, None where it was not given."""
        return {
            "--limit": self.limit,
            "--after": self.after,
            "--count": self.count or None,
            "--sort": self.sort,
            "--columns": self.columns,
        }

    @property
    def wording(self) -> Wording:
        """How the list was asked for."""
        given = [(name.replace("_", "-"), text) for name, text in self.filters.items() if text is not None]
        filters = [
            (name, text) if isinstance(text, str) else (name if text else f"not-{name}", None) for name, text in given
        ]
        shown = {"sort": self.sort, "columns": self.columns, "env-file": self.run.options.env_file, "limit": self.limit}
        view: list[tuple[str, str | None]] = [(name, str(value)) for name, value in shown.items() if value is not None]
        if self.reveal:
            view.append(("reveal", None))
        return Wording(tuple(filters), tuple(view))


_SHARED: dict[str, tuple[Any, Any]] = {
    "limit": (LimitOption, None),
    "after": (AfterOption, None),
    "count": (CountOption, False),
    "depth": (DepthOption, None),
    "reveal": (RevealOption, False),
    "sort": (SortOption, None),
    "columns": (ColumnsOption, None),
    "format": (FormatOption, None),
}
"""What is appended to the filters of each entity: name -> (annotation, default)."""


def entity(function: Callable[..., None] | None = None, *, key: Any = KeyArgument) -> Callable[..., Any]:
    """Make a function whose arguments are filters a command: it gets a `Request` with the options that all share."""
    if function is None:
        return functools.partial(entity, key=key)
    own = [*inspect.signature(function, eval_str=True).parameters.values()][1:]
    shared = {"key": (key, None), **_SHARED}

    def wrapper(run: Run, /, **values: Any) -> None:
        request = Request(run, **{name: values.pop(name) for name in shared}, filters=values)
        function(request, **values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # `command` reads it
        [
            inspect.Parameter("run", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Run),
            inspect.Parameter("key", keyword, annotation=key, default=None),
            *(parameter.replace(kind=keyword) for parameter in own),
            *(
                inspect.Parameter(name, keyword, annotation=annotation, default=default)
                for name, (annotation, default) in _SHARED.items()
            ),
        ]
    )
    wrapper.__name__, wrapper.__doc__ = function.__name__, function.__doc__
    assert {field.name for field in fields(Request)} == {"run", "filters", *shared}
    return command(wrapper)
