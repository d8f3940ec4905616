"""Where results, warnings, errors and progress go: results to stdout, everything else to stderr."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import FileUnwritable, KinetriaError
from kinetria_cli.domain.hiding import redact, worth_hiding
from kinetria_cli.presentation.progress import LineProgress, NoProgress, TerminalProgress
from kinetria_cli.presentation.stream import give_up
from kinetria_cli.presentation.text import printable

if TYPE_CHECKING:
    from kinetria_cli.domain.health import HealthReport
    from kinetria_cli.presentation.screen import Screen


class Output:
    """The two streams of one run.

    Args:
        json: Whether the result is a JSON document.
        quiet: Whether progress is left out.
        no_color: Whether --no-color was given.
        force_color: Whether FORCE_COLOR is set.
        utf8: Whether the terminal shows UTF-8.
    """

    def __init__(
        self, *, json: bool, quiet: bool, no_color: bool, force_color: bool = False, utf8: bool = True
    ) -> None:
        self.json = json
        self._quiet = quiet
        self._no_color = no_color
        self._force_color = force_color
        self._utf8 = utf8
        self._secrets: list[str] = []
        self._warn: Callable[[str], object] | None = None
        self._progress: TerminalProgress | LineProgress | NoProgress = NoProgress()

    @cached_property
    def _screens(self) -> "tuple[Screen, Screen]":
        from kinetria_cli.presentation.screen import standard_screens

        return standard_screens(no_color=self._no_color, force_color=self._force_color, utf8=self._utf8)

    def hide(self, secrets: Iterable[str]) -> None:
        """Take these texts out of everything that is printed to stderr from now on."""
        self._secrets.extend(filter(worth_hiding, secrets))

    def result(self, result: Any, *, ok: bool = True) -> None:
        """Print the result of the command.

        Raises:
            ReaderGone: Whoever read stdout has left.
            FileUnwritable: stdout cannot be written, as on a full disk.
        """
        with _stdout():
            if self.json:
                from kinetria_cli.presentation.encoder import result_document

                print(result_document(result, ok=ok))  # noqa: T201 - the one place that writes JSON to stdout
            else:
                from kinetria_cli.presentation.human import render

                screen = self._screens[0]
                screen.steps_are_shown = isinstance(self._progress, LineProgress) and _is_merged()
                render(result, screen)

    def plain(self, line: str) -> None:
        """Print a line of the result that programs read as it is: a log line. Raises as `result` does."""
        with _stdout():
            print(printable(line))  # noqa: T201

    def stream(self) -> Callable[[bytes], None]:
        """Return what writes a result that is a stream, a piece at a time; it raises as `result` does."""
        from kinetria_cli.presentation.stream import ByteStream

        stdout = ByteStream()

        def write(data: bytes) -> None:
            with _stdout():
                stdout.write(data)

        return write

    def warn(self, text: str) -> None:
        """Print one line that is worth reading though nothing failed."""
        text = printable(redact(text, self._secrets))
        if self._warn is not None:
            self._warn(text)
            return
        if self.json:
            with stderr_guarded():
                print(f"warning: {text}", file=sys.stderr)  # noqa: T201
            return
        from kinetria_cli.presentation.screen import Mark

        screen = self._screens[1]
        symbol = screen.mark(Mark.LOOK)
        screen.paragraph(symbol, text, indent=len(symbol[0]) + 1, hint=True)

    def warn_by(self, write: Callable[[str], object]) -> None:
        """Hand each warning to this function from now on, such as to a log."""
        self._warn = write

    def waiting(self, text: str) -> None:
        """Say what is waited for; in JSON mode stderr is for an error alone."""
        if not self._quiet and not self.json:
            self.warn(f"waiting: {text}")

    def error(self, error: KinetriaError) -> None:
        """Print what happened, why, and what to do."""
        self._progress.stop()
        message = redact(error.message, self._secrets)
        hint = redact(error.hint, self._secrets) if error.hint else None
        details = [redact(line, self._secrets) for line in (*error.details, *getattr(error, "__notes__", ()))]
        if self.json:
            from kinetria_cli.presentation.encoder import error_document

            with stderr_guarded():
                print(error_document(error, message, hint, details), file=sys.stderr)  # noqa: T201
            return
        from kinetria_cli.presentation.screen import Mark

        screen = self._screens[1]
        symbol = screen.mark(Mark.FAILED)
        screen.paragraph(symbol, message, indent=len(symbol[0]) + 1, hint=True)
        if details:
            screen.line()
            for line in details:
                screen.line("  ", line)
            screen.line()
        if hint:
            screen.paragraph(("  next:", ""), hint, indent=len("  next: "), hint=True)

    def traceback(self, lines: Iterable[str]) -> None:
        """Print a traceback, without locals and without secrets."""
        self._progress.stop()
        for line in lines:
            with stderr_guarded():
                print(printable(redact(line, self._secrets)), end="", file=sys.stderr)  # noqa: T201

    def progress(self) -> TerminalProgress | LineProgress | NoProgress:
        """Return where a long command tells how far it is."""
        if not self._quiet and not self.json:
            screen = self._screens[1]
            self._progress = TerminalProgress(screen) if screen.terminal else LineProgress(screen)
        return self._progress

    @contextlib.contextmanager
    def health_watch(self) -> "Iterator[Callable[[HealthReport], None]]":
        """Yield what shows one health report after the other; it raises as `result` does."""
        from datetime import datetime

        from kinetria_cli.presentation.health_watch import ChangeLines, table_watch

        screen = self._screens[0]
        if screen.terminal:
            with table_watch(screen) as draw:
                yield draw
            return
        lines = ChangeLines(screen)

        def show(report: "HealthReport") -> None:
            with _stdout():
                lines.show(report, datetime.now().astimezone())

        yield show

    def stream_progress(self) -> TerminalProgress | LineProgress | NoProgress:
        """Return where a stream tells how far it is: on a terminal that does not show the stream itself, else nowhere.

        In a script the stream is the result and says itself that there is one; a line a run would only fill its log.
        """
        return self.progress() if self._screens[1].terminal and not sys.stdout.isatty() else NoProgress()


class TerminalPrompt:
    """See `Prompt`: questions go to stderr, answers come from stdin."""

    @property
    def present(self) -> bool:
        """See `Prompt.present`."""
        return sys.stdin is not None and sys.stdin.isatty()

    def tell(self, text: str) -> None:
        """See `Prompt.tell`."""
        print(_at_blanks(text), file=sys.stderr)  # noqa: T201

    def ask(self, question: str) -> str:
        """See `Prompt.ask`."""
        print(_at_blanks(question), end="", file=sys.stderr, flush=True)  # noqa: T201
        return sys.stdin.readline()


def _at_blanks(text: str) -> str:
    """Return the printable text, on a terminal broken at blanks rather than in the middle of a word."""
    text = printable(text)
    if not sys.stderr.isatty():
        return text
    from kinetria_cli.presentation.cells import folded
    from kinetria_cli.presentation.screen import terminal_width

    return "\n".join(line for whole in text.split("\n") for line in folded(whole, terminal_width()))


class ReaderGone(Exception):
    """Whoever read our stdout has closed it, as `head` does: no error, but nothing is left to be said."""


def _is_merged() -> bool:
    """Whether stdout and stderr are the same file, as with 2>&1."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # streams in memory
        return False


@contextlib.contextmanager
def _stdout() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:
        give_up(sys.stdout)
        raise ReaderGone from error
    except OSError as error:
        raise stdout_failed(error) from error


def stdout_failed(error: OSError) -> FileUnwritable:
    """Give stdout up, which cannot be written, and return the error to report."""
    give_up(sys.stdout)
    return FileUnwritable(
        f"the result cannot be written to stdout: {error.strerror}", hint="free some space, then run it again"
    )


@contextlib.contextmanager
def stderr_guarded() -> Iterator[None]:
    """A message that cannot be shown must not stop the work that it is about."""
    try:
        yield
    except OSError:
        give_up(sys.stderr)
