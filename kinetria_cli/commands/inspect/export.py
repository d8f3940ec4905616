"""`kinetria inspect ENTITY --format ndjson|csv`: the whole list as a stream."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run
from kinetria_cli.domain.errors import MalformedParameters, SchemaMissing
from kinetria_cli.domain.export import Export, ExportFormat
from kinetria_cli.domain.records import Filters, Sort

JSON = "json"
FORMATS = (*(found.value for found in ExportFormat), JSON)

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="csv|ndjson|json",
        help="Stream all that match, however many, in the table's own order; json is --json.",
    ),
]


@contextmanager
def pending_explained(run: Run) -> Iterator[None]:
    """Name pending migrations where a table or column that the block reads is missing."""
    try:
        yield
    except SchemaMissing as error:
        from kinetria_cli.usecases.migrate import with_pending

        raise with_pending(error, run.container.migrations(run.target.params)) from error


def chosen_format(run: Run, text: str | None) -> ExportFormat | None:
    """Return the format of a stream, or None where a document or a table is wanted; `json` turns --json on.

    Raises:
        MalformedParameters: It is no format, or --json asks for another one.
    """
    if text is None:
        return None
    if text == JSON:
        run.output.json = True
        return None
    try:
        chosen = ExportFormat(text)
    except ValueError:
        raise MalformedParameters(f"{text!r} is not a format", hint=f"allowed: {', '.join(FORMATS)}") from None
    if run.options.json:
        raise MalformedParameters(f"--json and --format {text} are two formats", hint="leave one out")
    return chosen


@dataclass(frozen=True, slots=True)
class Exporting:
    """One export, with those options of lists that it has to do with.

    Args:
        run: The run of the command.
        format: How records are written.
        key, after, count: Of lists; they make no sense here.
        limit: The most records; None is all.
        sort: Their order, if one is asked for.
        columns: Which fields; none is all.
        reveal: Whether secrets are written.
    """

    run: Run
    format: ExportFormat
    key: str | None
    limit: int | None
    after: str | None
    count: bool
    sort: Sort | None = None
    columns: tuple[str, ...] = ()
    reveal: bool = False

    def answer(self, entity: str, filters: Filters) -> None:
        """Write what matches to stdout.

        Raises:
            MalformedParameters: An option that a stream has no use for, or one that cannot be used.
            ReaderGone: Whoever read stdout has left.
        """
        from kinetria_cli.usecases.export import export_records

        self._refuse()
        wanted = Export(self.format, filters, self.sort, self.limit, self.columns, self.reveal)
        output = self.run.output
        write = output.stream()
        progress = output.stream_progress()
        try:
            with (
                pending_explained(self.run),
                closing(self.run.container.database(self.run.target.params)) as database,
            ):
                export_records(entity, wanted, database=database, write=write, progress=progress)
        finally:
            progress.stop()

    def _refuse(self) -> None:
        option = f"--format {self.format.value}"
        if self.key is not None:
            raise MalformedParameters(
                f"an id shows one record; {option} is for lists", hint="leave one out, or take --format json"
            )
        if self.after is not None:
            raise MalformedParameters(
                f"{option} has no pages, so --after has no place in it", hint="leave out --after, or take --format json"
            )
        if self.count:
            raise MalformedParameters(
                f"{option} has records alone, no count", hint="leave out --count, or take --format json"
            )
